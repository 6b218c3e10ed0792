"""Every use case at once on the same few rows: no deadlock, and the books are right at the end."""

import random
import threading
import time
from collections.abc import Callable

import httpx

from crm.errors import ConflictError
from crm.models import CounterName, Customer, Message
from crm.services import (
    customers,
    event_log,
    inbox,
    outcomes,
    receipts,
    recovery,
    retries,
)
from crm.services.inbox import Inbound
from crm.services.outcomes import Failure
from crm.transaction import transaction
from tests.services.shop import Shop, deliver_one

PHONES = [f"6012{number:07}" for number in range(3)]
THREADS, TURNS = 8, 25
Deed = Callable[[random.Random], object]


def deeds(shop: Shop, customer_ids: list[int], message_ids: list[int]) -> list[Deed]:
    """What agents, the gateway, workers and beat do, each to a row drawn by chance."""

    def write_in(rng: random.Random) -> object:
        whatsapp_id = f"in-{rng.randrange(60)}"
        phone = PHONES[int(whatsapp_id[3:]) % len(PHONES)]
        inbound = Inbound(phone=phone, lid=None, content="x", whatsapp_id=whatsapp_id)
        return inbox.receive_message(inbound, request_id=None)

    def pair(rng: random.Random) -> object:
        message_id = rng.choice(message_ids)
        return receipts.map_message(message_id, f"wa-{message_id}")

    def see(rng: random.Random) -> object:
        message_id = rng.choice(message_ids)
        return receipts.record_seen(message_id, f"wa-{message_id}", delay_ms=1, to=None)

    def report(rng: random.Random) -> object:
        return outcomes.report_failed(
            rng.choice(message_ids), Failure(code="x", reason=None, attempt=None)
        )

    return [
        write_in,
        pair,
        see,
        report,
        lambda rng: receipts.record_ack(f"wa-{rng.choice(message_ids)}", rng.randint(1, 4)),
        lambda rng: deliver_one(rng.choice(message_ids)),
        lambda rng: deliver_one(rng.choice(message_ids)),
        lambda rng: retries.retry_message(rng.choice(message_ids), confirm=True),
        lambda rng: retries.cancel_message(rng.choice(message_ids)),
        lambda rng: retries.retry_failed(),
        lambda rng: inbox.mark_read(rng.choice(customer_ids), up_to=None),
        lambda rng: customers.update_customer(
            rng.choice(customer_ids), {"remark": str(rng.random())}
        ),
        lambda rng: recovery.sweep(),
        lambda rng: event_log.prune(),
    ]


def test_everything_at_once_neither_deadlocks_nor_loses_count(shop: Shop) -> None:
    faults = (httpx.Response(202, json={}), httpx.Response(500), httpx.ConnectError("refused"))
    shop.gateway.answers = random.Random(7).choices(faults, (6, 2, 1), k=500)
    customer_ids = [shop.customer(phone) for phone in PHONES]
    message_ids = [shop.send(customer_ids[number % 3]) for number in range(18)]
    every = deeds(shop, customer_ids, message_ids)

    def run(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(TURNS):
            try:
                rng.choice(every)(rng)
            except ConflictError:
                pass  # another thread was first

    shop.at_once([lambda s=seed: run(s) for seed in range(THREADS)])

    rows = {row.id: row for row in shop.all(Message)}
    for customer in shop.all(Customer):
        mine = [row for row in rows.values() if row.customer_id == customer.id]
        unread = [row for row in mine if row.direction == "inbound" and row.ack < 3]
        assert customer.unread_count == len(unread)
        assert len([row for row in mine if row.dispatch == "sending"]) <= 1
    mapped = [message_id for message_id in message_ids if rows[message_id].dispatch == "mapped"]
    assert shop.count(CounterName.MESSAGES_SENT) == len(mapped)
    for message_id in message_ids:
        told, row = shop.told(message_id), rows[message_id]
        if told:
            assert (told[-1]["status"], told[-1]["ack"]) == (row.status, row.ack)
        acks = [state["ack"] for state in told]
        assert acks == sorted(acks)
    seen = shop.backend.event_types().count("message_seen")
    assert seen == sum(rows[message_id].ack >= 3 for message_id in message_ids)


def test_sending_all_failed_ones_again_waits_for_no_customer(shop: Shop) -> None:
    """A row updated twice in one transaction has PostgreSQL look at its customer once more, which
    was a deadlock with those that hold the customer first and want the message then."""
    customer_id = shop.customer()
    message_id = shop.send(customer_id)
    shop.change(message_id, dispatch="failed")
    held = threading.Event()

    def hold_customer_then_message() -> None:
        with transaction() as tx:
            customers.lock_customer(tx.session, customer_id)
            held.set()
            time.sleep(0.5)
            receipts.lock_outbound_message(tx.session, message_id)

    def send_again() -> None:
        assert held.wait(30)
        retries.retry_failed()

    shop.at_once([hold_customer_then_message, send_again])
    assert shop.row(message_id).dispatch == "queued"
