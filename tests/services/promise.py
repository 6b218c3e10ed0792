"""The table of delivery.md, section 1, once more and by itself: nothing of the product in here."""

from dataclasses import dataclass, field

OPEN = {"queued", "sending"}
SHOWN = {1: "sent", 2: "delivered", 3: "read", 4: "played"}
TRIES = 4
MOST_LOST_LEASES = 8


@dataclass(slots=True)
class Promised:
    """What one outbound message must be."""

    customer: int
    state: str = "queued"
    ack: int = 1
    whatsapp_id: str | None = None
    attempt: int = 1
    claims: int = 0
    failures: int = 0
    lost: int = 0
    maybe_written: bool = False
    handed_over: bool = False
    """Some worker claimed this attempt, so the gateway may speak of it."""

    @property
    def shown(self) -> str:
        return SHOWN[self.ack] if self.state == "mapped" else self.state


@dataclass(slots=True)
class Promise:
    """A shop as the table says that it must be. Methods return False for what changes nothing."""

    messages: dict[int, Promised] = field(default_factory=dict)
    parked: dict[str, int] = field(default_factory=dict)
    unread: dict[int, set[str]] = field(default_factory=dict)
    inbound: set[str] = field(default_factory=set)
    given_up: int = 0
    seen: int = 0

    def may_be_claimed(self, message_id: int) -> bool:
        """Queued, no older one of its customer open, and none of them being sent."""
        message = self.messages[message_id]
        others = [
            (other_id, other)
            for other_id, other in self.messages.items()
            if other.customer == message.customer and other_id != message_id
        ]
        return message.state == "queued" and not any(
            other.state == "sending" or (other.state in OPEN and other_id < message_id)
            for other_id, other in others
        )

    def claim(self, message_id: int) -> tuple[int, int]:
        """Returns the claim's number and attempt."""
        message = self.messages[message_id]
        message.state, message.handed_over = "sending", True
        message.claims += 1
        return message.claims, message.attempt

    def accept(self, message_id: int, attempt: int) -> None:
        """Believed however late, unless the agent replaced that attempt."""
        message = self.messages[message_id]
        if message.state in OPEN and message.attempt == attempt:
            message.state = "accepted"

    def fail_try(self, message_id: int, number: int, attempt: int, how: str) -> None:
        """`away` is no try; `refused` is the last; `temporary` and `written` may be repeated."""
        message = self.messages[message_id]
        current = message.state == "sending" and (message.claims, message.attempt)
        if current != (number, attempt):
            return
        if how == "away":
            message.state = "queued"
            return
        message.maybe_written |= how == "written"
        message.failures += 1
        if how == "refused" or message.failures >= TRIES:
            self._give_up(message)
        else:
            message.state = "queued"

    def lose_lease(self, message_id: int) -> None:
        message = self.messages[message_id]
        message.maybe_written = True
        message.lost += 1
        if message.lost > MOST_LOST_LEASES:
            self._give_up(message)
        else:
            message.state = "queued"

    def hear_nothing(self, message_id: int) -> None:
        """A quarter of an hour after it was accepted."""
        message = self.messages[message_id]
        message.maybe_written = True
        self._give_up(message)

    def fail(self, message_id: int) -> None:
        """By the gateway's own word."""
        message = self.messages[message_id]
        if message.state in OPEN | {"accepted", "unknown"}:
            self.given_up += message.state != "unknown"  # counted when it became that
            message.state, message.maybe_written = "failed", False

    def map(self, message_id: int, whatsapp_id: str) -> bool:
        """False is a conflict."""
        message = self.messages[message_id]
        if message.whatsapp_id == whatsapp_id:
            return True
        taken = {other.whatsapp_id for other in self.messages.values()}
        if message.whatsapp_id is not None or whatsapp_id in taken:
            return False
        message.state, message.whatsapp_id = "mapped", whatsapp_id
        self._rise(message, self.parked.pop(whatsapp_id, 0))
        return True

    def hear_ack(self, whatsapp_id: str, ack: int) -> None:
        for message in self.messages.values():
            if message.whatsapp_id == whatsapp_id:
                self._rise(message, ack)
                return
        self.parked[whatsapp_id] = max(ack, self.parked.get(whatsapp_id, 0))

    def retry(self, message_id: int, *, confirm: bool) -> bool:
        message = self.messages[message_id]
        if message.state != "failed" and not (message.state == "unknown" and confirm):
            return False
        message.state, message.handed_over = "queued", False
        message.attempt += 1
        message.failures = message.lost = 0
        return True

    def cancel(self, message_id: int) -> bool:
        message = self.messages[message_id]
        if message.state == "queued" and not message.maybe_written:
            message.state = "cancelled"
        return message.state == "cancelled"

    def _rise(self, message: Promised, ack: int) -> None:
        self.seen += message.ack < 3 <= ack
        message.ack = max(message.ack, ack)

    def _give_up(self, message: Promised) -> None:
        message.state = "unknown" if message.maybe_written else "failed"
        self.given_up += 1
