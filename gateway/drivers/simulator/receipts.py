"""Delivered and read receipts, given in time, late, doubled or reversed as ordered."""

import random
from collections.abc import Callable
from functools import partial

from gateway.clock import now
from gateway.drivers.events import ACK_DELIVERED, ACK_READ, Receipt
from gateway.drivers.simulator.journal import Journal, Received
from gateway.drivers.simulator.misbehaviour import Misbehaviour
from gateway.drivers.simulator.timeline import Timeline

Give = Callable[[Receipt], None]


class Receipts:
    def __init__(
        self,
        timeline: Timeline,
        journal: Journal,
        *,
        misbehaviour: Callable[[], Misbehaviour],
        is_connected: Callable[[], bool],
        give: Give,
    ) -> None:
        self._timeline = timeline
        self._journal = journal
        self._misbehaviour = misbehaviour
        self._is_connected = is_connected
        self._give = give
        self._held: list[tuple[Received, int]] = []

    def resume_after_restart(self) -> None:
        """Give what was owed when the process died; giving one twice is harmless."""
        given = self._journal.acks_given()
        for entry in self._journal.entries():
            if given.get(entry.whatsapp_id, 0) < ACK_READ:
                self.expect(entry)

    def expect(self, entry: Received) -> None:
        """The message arrived: it will be delivered, and later read."""
        ordered = self._misbehaviour()
        delivered = random.uniform(*ordered.delivered_after) + ordered.late_acks
        read = delivered + random.uniform(*ordered.read_after)
        self._timeline.after(delivered, partial(self._prove, entry, ACK_DELIVERED))
        self._timeline.after(read, partial(self._prove, entry, ACK_READ))

    def rush(self, entry: Received) -> None:
        """Give both at once and in the wrong order."""
        for ack in (ACK_READ, ACK_DELIVERED):
            self._prove(entry, ack)

    def release_held(self) -> None:
        """The connection is back: give what came due meanwhile."""
        held, self._held = self._held, []
        for entry, ack in held:
            self._timeline.after(0, partial(self._prove, entry, ack))

    def _prove(self, entry: Received, ack: int) -> None:
        if not self._is_connected():
            self._held.append((entry, ack))
            return
        if ack == ACK_READ and not self._misbehaviour().reads:
            return
        receipt = Receipt(chat=entry.to, whatsapp_id=entry.whatsapp_id, ack=ack, at=now())
        for _ in range(2 if self._misbehaviour().doubled_acks else 1):
            self._give(receipt)
        self._journal.note_receipt(entry.whatsapp_id, ack)
