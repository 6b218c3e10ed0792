"""Sending: one row for each idempotency key, stored, told and queued in one transaction."""

import pytest

from crm.errors import CustomerNotFoundError, IdempotencyKeyReusedError
from crm.models import Message
from crm.services import messages
from crm.services.messages import Draft
from tests.services.shop import Shop


def send_with_key(customer_id: int, text: str, key: str) -> tuple[Message, bool]:
    return messages.send_message(
        Draft(customer_id=customer_id, content=text), idempotency_key=key, request_id=None
    )


def test_a_message_is_stored_queued_told_and_hinted(shop: Shop) -> None:
    customer_id = shop.customer()
    message_id = shop.send(customer_id, "Hello, how are you?")
    row = shop.row(message_id)
    assert (row.dispatch, row.ack, row.whatsapp_id, row.status) == ("queued", 1, None, "queued")
    assert row.due_at == row.queued_at <= row.hinted_at
    assert shop.backend.event_types() == ["new_customer", "outbound_message"]
    assert shop.customer_row(customer_id).last_message == "Hello, how are you?"
    assert shop.delivery_jobs() == [message_id]
    assert [event_id for event_id, _ in shop.backend.published] == shop.event_ids()


def test_an_unknown_customer_leaves_nothing(shop: Shop) -> None:
    before = shop.backend.counts()
    with pytest.raises(CustomerNotFoundError):
        shop.send(999_999)
    assert shop.backend.counts() == before
    assert shop.backend.jobs == []


def test_a_repeated_key_gives_the_first_message_and_tells_nobody(shop: Shop) -> None:
    customer_id = shop.customer()
    first = shop.send(customer_id, key="k")
    before = shop.backend.counts()
    again, is_new = shop.do(send_with_key, customer_id, "Hello", "k")
    assert (again.id, is_new) == (first, False)
    assert shop.backend.counts() == before
    assert shop.delivery_jobs() == [first]


@pytest.mark.parametrize("differs", ["text", "customer"])
def test_a_key_with_another_body_is_a_conflict_and_changes_nothing(
    shop: Shop, differs: str
) -> None:
    customer_id, other_id = shop.customer(), shop.customer("60111111111")
    shop.send(customer_id, key="k")
    before = shop.backend.counts()
    with pytest.raises(IdempotencyKeyReusedError):
        if differs == "text":
            shop.send(customer_id, "Goodbye", key="k")
        else:
            shop.send(other_id, key="k")
    assert shop.backend.counts() == before


def test_two_threads_with_one_key_store_one_row(shop: Shop) -> None:
    customer_id = shop.customer()
    for turn in range(5):
        key = f"key-{turn}"
        results = shop.at_once([lambda key=key: send_with_key(customer_id, "Hi", key)] * 2)
        assert len({message.id for message, _ in results}) == 1
        assert sorted(is_new for _, is_new in results) == [False, True]
    assert len(shop.outbound()) == 5
    assert shop.backend.event_types().count("outbound_message") == 5
    assert len(shop.delivery_jobs()) == 1  # the others wait for the first


def test_two_customers_with_one_key_at_once_store_one_row(shop: Shop) -> None:
    """They lock different rows, so that only the unique index keeps them apart."""
    both = [shop.customer(), shop.customer("60111111111")]

    def attempt(customer_id: int) -> str:
        try:
            return str(send_with_key(customer_id, "Hi", "one")[1])
        except IdempotencyKeyReusedError:
            return "conflict"

    results = shop.at_once([lambda c=c: attempt(c) for c in both])
    assert sorted(results) == ["True", "conflict"]
    assert len(shop.outbound()) == 1
    assert shop.backend.event_types().count("outbound_message") == 1


def test_messages_without_a_key_are_never_the_same(shop: Shop) -> None:
    customer_id = shop.customer()
    assert len({shop.send(customer_id, "Hi") for _ in range(3)}) == 3
