"""Ways in which a send goes wrong, by name: how each is settled, and the gateway's error."""

from collections.abc import Callable

from crm.gateway_errors import GatewayRefusedError, GatewayTemporaryError, GatewayUnreachableError
from crm.services import settlement

FAULTS: dict[str, tuple[Callable[..., str], Exception]] = {
    "away": (settlement.settle_unreachable, GatewayUnreachableError("Away.", code="unreachable")),
    "temporary": (
        settlement.settle_failure,
        GatewayTemporaryError("Busy.", code="429", maybe_written=False),
    ),
    "written": (
        settlement.settle_failure,
        GatewayTemporaryError("Broken.", code="500", maybe_written=True),
    ),
    "refused": (settlement.settle_refusal, GatewayRefusedError("No.", code="422")),
}
