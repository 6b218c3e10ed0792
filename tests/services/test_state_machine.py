"""Any order of anything that can happen keeps to the table of delivery.md.

Seen to fail in copies where a late failure was not fenced off, where an older message did not
hold back a newer one, where an ack could fall, where the last parked ack won over the highest, and
where a job of several took two messages of one customer.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crm.errors import MappingConflictError, MessageStateError
from crm.models import Message
from crm.services import claims, inbox, outcomes, receipts, retries, settlement
from crm.services.claims import Claim
from crm.services.outcomes import Failure
from tests.services.books import Books
from tests.services.faults import FAULTS
from tests.services.promise import Promise, Promised
from tests.services.shop import Shop, accept_one, claim_one

PHONES = ("60123456789", "60111111111")
OUTCOMES = ["accepted", *FAULTS]
WORK = [*["claim", "lose the lease"] * 3, *OUTCOMES, *(f"late {name}" for name in OUTCOMES)]
LONG = 3600.0
"""A lease that ends only where the test says so, on however slow a machine."""

a_number = st.integers(0, 5)
a_phone = st.sampled_from(PHONES)
mostly_early = st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5])


class ShopMachine(RuleBasedStateMachine):
    """The product beside the promise; each rule does the same thing to both."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop
        self.promise = Promise()
        self.claims: list[tuple[Claim, tuple[int, int]]] = []
        self.books = Books()
        self.customers: dict[str, int] = {}

    def teardown(self) -> None:
        self.shop.backend.forget()

    @initialize()
    def open_the_shop(self) -> None:
        self.customers = {phone: self.shop.customer(phone) for phone in PHONES}
        for phone in (PHONES[0], PHONES[1], PHONES[0]):
            self._write(phone)

    def pick(self, number: int) -> int:
        ids = list(self.promise.messages)
        return ids[number % len(ids)]

    def in_state(self, *states: str) -> list[int]:
        return [i for i, message in self.promise.messages.items() if message.state in states]

    has_messages = precondition(lambda self: bool(self.promise.messages))

    @precondition(lambda self: len(self.promise.messages) < 6)
    @rule(phone=a_phone)
    def write(self, phone: str) -> None:
        self._write(phone)

    def _write(self, phone: str) -> None:
        message_id = self.shop.send(self.customers[phone])
        self.promise.messages[message_id] = Promised(customer=self.customers[phone])

    @rule(phone=a_phone, number=a_number)
    def receive(self, phone: str, number: int) -> None:
        whatsapp_id = f"in-{phone}-{number}"
        self.shop.receive(whatsapp_id, phone=phone)
        if whatsapp_id not in self.promise.inbound:
            self.promise.inbound.add(whatsapp_id)
            self.promise.unread.setdefault(self.customers[phone], set()).add(whatsapp_id)

    @rule(phone=a_phone)
    def read(self, phone: str) -> None:
        self.shop.do(inbox.mark_read, self.customers[phone], up_to=None)
        self.promise.unread.pop(self.customers[phone], None)

    @has_messages
    @rule(number=mostly_early)
    def claim(self, number: int) -> None:
        self._claim(self.pick(number))

    def _claim(self, message_id: int) -> None:
        self.shop.make_due(message_id)
        claim = self.shop.do(claim_one, message_id)
        assert (claim is not None) == self.promise.may_be_claimed(message_id)
        if claim is not None:
            expected = self.promise.claim(message_id)
            assert (claim.number, claim.attempt) == expected
            self.claims.append((claim, expected))

    @has_messages
    @rule(numbers=st.lists(a_number, min_size=2, max_size=6), how=st.sampled_from(OUTCOMES))
    def work_on_several(self, numbers: list[int], how: str) -> None:
        """A job of several messages, taken together; the first ends in one way, the rest well."""
        message_ids = list(dict.fromkeys(self.pick(number) for number in numbers))
        for message_id in message_ids:
            self.shop.make_due(message_id)
        claimable = [each for each in message_ids if self.promise.may_be_claimed(each)]
        taken = self.shop.do(claims.claim_messages, message_ids)
        assert [claim.message_id for claim in taken] == claimable
        expected = [self.promise.claim(each) for each in claimable]
        assert [(claim.number, claim.attempt) for claim in taken] == expected
        self.claims += zip(taken, expected, strict=True)
        if taken:
            self._settle(taken[0], expected[0], how)
            self.shop.do(settlement.settle_accepted, taken)
            for claim in taken:
                self.promise.accept(claim.message_id, claim.attempt)

    @has_messages
    @rule(number=a_number, deeds=st.lists(st.sampled_from(WORK), min_size=3, max_size=9))
    def work(self, number: int, deeds: list[str]) -> None:
        """A worker's day: rules drawn one by one would seldom get as far as a late answer."""
        at_work = self.in_state("queued", "sending") or list(self.promise.messages)
        message_id = at_work[number % len(at_work)]
        for deed in deeds:
            if deed == "claim":
                self._claim(message_id)
            elif deed == "lose the lease":
                if self.promise.messages[message_id].state == "sending":
                    self._lose_lease(message_id)
            elif mine := [held for held in self.claims if held[0].message_id == message_id]:
                oldest = deed.startswith("late ")
                self._settle(*mine[0 if oldest else -1], deed.removeprefix("late "))

    @rule(number=a_number, how=st.sampled_from(OUTCOMES))
    def answer_too_late(self, number: int, how: str) -> None:
        """A worker that was thought dead answers, while another one sends."""
        free = [i for i in self.promise.messages if self.promise.may_be_claimed(i)]
        if free:
            message_id = free[number % len(free)]
            self._claim(message_id)
            self._lose_lease(message_id)
            if self.promise.may_be_claimed(message_id):
                self._claim(message_id)
                self._settle(*self.claims[-2], how)

    def _settle(self, claim: Claim, expected: tuple[int, int], how: str) -> None:
        if how == "accepted":
            self.shop.do(accept_one, claim)
            self.promise.accept(claim.message_id, claim.attempt)
        else:
            settle, error = FAULTS[how]
            self.shop.do(settle, claim, error)
            self.promise.fail_try(claim.message_id, *expected, how)

    @precondition(lambda self: bool(self.in_state("sending")))
    @rule(number=a_number, times=st.sampled_from([1, 1, 1, 9]))
    def lose_lease(self, number: int, times: int) -> None:
        sending = self.in_state("sending")
        message_id = sending[number % len(sending)]
        if times > 1:  # what eight dead workers before this one had left
            self.shop.change(message_id, lost_leases=8)
            self.promise.messages[message_id].lost = 8
        self._lose_lease(message_id)

    def _lose_lease(self, message_id: int) -> None:
        self.shop.set_back(message_id, "lease_until", 1)
        self.shop.sweep()
        self.promise.lose_lease(message_id)

    @precondition(lambda self: bool(self.in_state("accepted")))
    @rule(number=a_number)
    def hear_nothing(self, number: int) -> None:
        accepted = self.in_state("accepted")
        message_id = accepted[number % len(accepted)]
        self.shop.set_back(message_id, "accepted_at", 16 * 60)
        self.shop.do(outcomes.check_accepted, message_id)
        self.promise.hear_nothing(message_id)

    @has_messages
    @rule(number=a_number, other=mostly_early)
    def map(self, number: int, other: int) -> None:
        message_id, whatsapp_id = self.pick(number), f"wa-{(number + other // 4) % 6}"
        expected = self.promise.map(message_id, whatsapp_id)
        try:
            self.shop.do(receipts.map_message, message_id, whatsapp_id)
        except MappingConflictError:
            assert not expected
        else:
            assert expected

    @rule(number=a_number, acks=st.lists(st.integers(1, 4), min_size=1, max_size=4))
    def ack(self, number: int, acks: list[int]) -> None:
        for ack in acks:
            self.shop.do(receipts.record_ack, f"wa-{number}", ack)
            self.promise.hear_ack(f"wa-{number}", ack)

    @has_messages
    @rule(number=a_number)
    def see(self, number: int) -> None:
        message_id, whatsapp_id = self.pick(number), f"wa-{number}"
        try:
            self.shop.do(receipts.record_seen, message_id, whatsapp_id, delay_ms=1, to=None)
        except MappingConflictError:
            assert not self.promise.map(message_id, whatsapp_id)
        else:
            assert self.promise.map(message_id, whatsapp_id)
            self.promise.hear_ack(whatsapp_id, 3)

    @has_messages
    @rule(number=a_number)
    def fail(self, number: int) -> None:
        message_id = self.pick(number)
        if self.promise.messages[message_id].handed_over:
            failure = Failure(code="x", reason=None, attempt=None)
            self.shop.do(outcomes.report_failed, message_id, failure)
            self.promise.fail(message_id)

    @has_messages
    @rule(number=a_number, confirm=st.booleans())
    def retry(self, number: int, confirm: bool) -> None:
        self._ask(retries.retry_message, self.promise.retry, self.pick(number), confirm=confirm)

    @has_messages
    @rule(number=mostly_early)
    def cancel(self, number: int) -> None:
        self._ask(retries.cancel_message, self.promise.cancel, self.pick(number))

    def _ask(
        self, use_case: Callable[..., Message], promised: Callable[..., bool], message_id: int,
        **named: bool,
    ) -> None:  # fmt: skip
        expected = promised(message_id, **named)
        try:
            self.shop.do(use_case, message_id, **named)
        except MessageStateError:
            assert not expected
        else:
            assert expected

    @invariant()
    def everything_is_as_promised(self) -> None:
        self.books.compare(self.shop, self.promise)


@pytest.mark.timeout(600)
def test_every_order_of_events_keeps_the_promise(shop: Shop) -> None:
    config = shop.backend.app.config
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(config, "SEND_LEASE", LONG)
        run_state_machine_as_test(
            lambda: ShopMachine(shop),
            settings=settings(
                max_examples=60,
                stateful_step_count=25,
                derandomize=True,
                phases=[Phase.generate],  # to shrink what failed would take many minutes
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
