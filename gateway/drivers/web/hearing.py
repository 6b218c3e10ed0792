"""What each event about the connection means for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import now
from gateway.drivers.web import condition as conditions
from gateway.drivers.web.condition import Condition
from gateway.drivers.web.line import Proto

SHORTEST_BAN = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """`condition` None: as it was."""

    condition: Condition | None = None
    connected: bool = False
    paired: bool = False
    lost: bool = False


def _pairing(event: Proto) -> Heard:
    if event.HasField("Error") and event.Error:
        return Heard(condition=conditions.NEEDS_PERSON)
    return Heard(condition=conditions.STARTING, paired=True)


def _failure(event: Proto) -> Heard:
    """Log-outs and bans come as events of their own."""
    kinds = event.DESCRIPTOR.fields_by_name["Reason"].enum_type.values_by_number
    reason = kinds[event.Reason].name if event.HasField("Reason") else "UNKNOWN"
    if reason in {"CLIENT_OUTDATED", "BAD_USER_AGENT"}:
        return Heard(condition=conditions.OUTDATED)
    return Heard(condition=conditions.REFUSED, lost=True)


def _ban(event: Proto) -> Heard:
    return Heard(condition=conditions.banned(now() + max(float(event.Expire), SHORTEST_BAN)))


HEARINGS: dict[str, Callable[[Proto], Heard]] = {
    "Connected": lambda _: Heard(condition=conditions.READY, connected=True),
    "Disconnected": lambda _: Heard(condition=conditions.RECONNECTING, lost=True),
    "PairStatus": _pairing,
    "ConnectFailure": _failure,
    "LoggedOut": lambda _: Heard(condition=conditions.LOGGED_OUT),
    "TemporaryBan": _ban,
    "ClientOutdated": lambda _: Heard(condition=conditions.OUTDATED),
    "StreamReplaced": lambda _: Heard(condition=conditions.REPLACED),
}
