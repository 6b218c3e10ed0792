"""What the connection is in, and what a person should do about it."""

from dataclasses import dataclass

from gateway.clock import to_iso
from gateway.drivers.base import DriverState


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`held`: we do not connect by ourselves, until the time `until` or until a person asks."""

    state: DriverState
    advice: str | None = None
    held: bool = False
    until: float | None = None


STARTING = Condition(state=DriverState.STARTING)
READY = Condition(state=DriverState.READY)
UNREACHABLE_AT_START = Condition(
    state=DriverState.STARTING,
    advice="WhatsApp cannot be reached from this machine; it is tried again and again.",
)
RECONNECTING = Condition(
    state=DriverState.DEGRADED,
    advice="The connection to WhatsApp is lost; it is built anew without your help.",
)
REFUSED = Condition(
    state=DriverState.DEGRADED,
    advice="WhatsApp refuses the connection for now; it is tried again and again.",
)
NEEDS_SCAN = Condition(
    state=DriverState.NEED_QR,
    advice="Scan the code with the phone: WhatsApp, Linked devices, Link a device.",
)
NEEDS_PERSON = Condition(
    state=DriverState.NEED_QR,
    advice="Nobody scanned the codes; ask for a new code (POST /qr) with the phone in your hand.",
    held=True,
)
LOGGED_OUT = Condition(
    state=DriverState.LOGGED_OUT,
    advice="The phone ended this session, or WhatsApp did; look at the phone, then ask for a new "
    "code (POST /qr).",
    held=True,
)
OUTDATED = Condition(
    state=DriverState.DEGRADED,
    advice="WhatsApp does not accept this version any more; install a newer neonize, then restart "
    "the gateway.",
    held=True,
)
REPLACED = Condition(
    state=DriverState.DEGRADED,
    advice="Another program uses this session; stop it, then connect again (POST /qr).",
    held=True,
)


def banned(until: float) -> Condition:
    return Condition(
        state=DriverState.BANNED,
        advice=f"WhatsApp has blocked this number until {to_iso(until)} UTC; send nothing from the "
        "phone either, and less and more slowly afterwards.",
        held=True,
        until=until,
    )
