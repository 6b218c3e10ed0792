"""What can be done to customers."""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from crm import clock, jobs, wire
from crm.actors import SYSTEM, Actor
from crm.database import add_unless_taken
from crm.errors import CustomerNotFoundError, DatabaseBusyError, PhoneTakenError
from crm.events import CustomerCreated, CustomerDeleted, CustomerUpdated
from crm.models import Action, Customer, Dispatch, Erasure, Event, Message
from crm.models.customer import LAST_MESSAGE, last_message
from crm.phones import phone_forms, phone_key
from crm.prepared import Prepared
from crm.presence import presence
from crm.services.audit import note
from crm.transaction import Transaction, transaction

_LOCK = (
    select(Customer)
    .where(Customer.id == bindparam("customer_id"))
    # No stronger lock: who changes a message twice has PostgreSQL look at its customer's key.
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_FIND = (
    select(Customer)
    # What is not given is NULL, which equals nothing.
    .where(
        or_(Customer.phone_key == bindparam("phone_key"), Customer.lid == bindparam("lid")),
    )
    .order_by(Customer.id)
    .with_for_update(key_share=True)
)

_TABLE: Any = Customer.__table__
_LOCK_ROW = Prepared(
    select(*(_TABLE.c[source] for source in wire.CUSTOMER_SUMMARY.fields.values()))
    .where(_TABLE.c.id == bindparam("customer_id"))
    .with_for_update(key_share=True)
)
_SHOW_MESSAGE = Prepared(
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("customer_id"))
    .values({name: bindparam(name) for name in LAST_MESSAGE})
)

EDITABLE = ("name", "status", "remark", "extra_fields", "photo_url")
NAME_LENGTH = 120


def create_customer(*, name: str, phone: str, status: str) -> Customer:
    """Add a customer by hand. Raises `PhoneTakenError` where a variant of the phone exists."""
    with transaction() as tx:
        customer, created = find_or_create_customer(tx, phone=phone, name=name, status=status)
        if not created:
            raise PhoneTakenError(customer.id)
        row = wire.customer_summary(customer)
        tx.record(CustomerCreated(customer_id=customer.id, customer=row))
        return customer


def update_customer(customer_id: int, changes: Mapping[str, Any]) -> Customer:
    """Change the fields given; others stay. What changes nothing tells nobody."""
    with transaction() as tx:
        customer = lock_customer(tx.session, customer_id)
        _apply(tx, customer, {name: changes[name] for name in EDITABLE if name in changes})
        return customer


def set_customer_photo(*, phone: str, lid: str | None, photo_url: str) -> Customer:
    """Keep the address of a customer's picture; it is never fetched from here."""
    with transaction() as tx:
        customer = find_customer_by(tx.session, phone=phone, lid=lid)
        if customer is None:
            raise CustomerNotFoundError
        _apply(tx, customer, {"photo_url": photo_url})
        return customer


def delete_customer(customer_id: int, *, actor: Actor = SYSTEM) -> None:
    """Erase a customer: messages, event rows, queued sends, and the gateway's copies.

    The audit keeps that it was done, and by whom.
    """
    with transaction() as tx:
        customer = lock_customer(tx.session, customer_id)
        # A worker that holds one of its messages may hand it over until its lease runs out.
        in_flight = tx.session.scalar(
            select(func.max(Message.lease_until)).where(
                Message.customer_id == customer_id, Message.dispatch == Dispatch.SENDING
            )
        )
        due_at = in_flight or clock.now()
        erasures = [Erasure(address=address, due_at=due_at) for address in _addresses(customer)]
        tx.session.add_all(erasures)
        tx.session.execute(delete(Event).where(Event.customer_id == customer_id))
        tx.session.delete(customer)  # its messages go by the foreign key's cascade
        tx.session.flush()
        tx.record(CustomerDeleted(customer_id=customer_id))
        note(tx, Action.CUSTOMER_DELETED, actor, subject=f"customer {customer_id}")
        if in_flight is None:
            for erasure in erasures:
                tx.enqueue(jobs.erase_at_gateway(erasure.id))
    presence.forget(customer_id)


def _addresses(customer: Customer) -> list[str]:
    """Every name under which the gateway may keep something of a customer."""
    phones = phone_forms(customer.phone) if customer.phone else []
    return phones + ([f"{customer.lid}@lid"] if customer.lid else [])


def lock_customer(session: Session, customer_id: int) -> Customer:
    """The customer, held until the commit so that one chat changes in one order."""
    customer = session.scalar(_LOCK, {"customer_id": customer_id})
    if customer is None:
        raise CustomerNotFoundError
    return customer


def lock_customer_row(connection: Connection, customer_id: int) -> Any:
    """The same, as a row of what a summary shows."""
    row = _LOCK_ROW.first(connection, {"customer_id": customer_id})
    if row is None:
        raise CustomerNotFoundError
    return row


def show_message(tx: Transaction, row: Any, message: Message) -> dict[str, Any]:
    """Make a message the last one of a customer locked as a row; returns the summary after it."""
    changes = last_message(row.last_timestamp, message.content, message.timestamp)
    _SHOW_MESSAGE.all(tx.connection, {"customer_id": row.id, **changes})
    return wire.customer_summary(
        row._replace(**{n: changes[n] for n in row._fields if n in changes})
    )


def find_or_create_customer(
    tx: Transaction,
    *,
    phone: str,
    lid: str | None = None,
    name: str | None = None,
    status: str = "new",
) -> tuple[Customer, bool]:
    """The customer of a phone or LID, locked, and whether it was made now.

    A customer known by its LID alone learns its phone here, and the other way round. Of a new one
    the caller tells the browsers, once all is known that brought it.
    """
    customer = find_customer_by(tx.session, phone=phone, lid=lid)
    if customer is not None:
        _learn(tx, customer, phone=phone, lid=lid)
        return customer, False
    fresh = Customer.new(
        name=(name or phone or f"{lid}")[:NAME_LENGTH],
        phone=phone,
        phone_key=phone_key(phone) if phone else None,
        lid=lid,
        status=status,
    )
    if add_unless_taken(tx.session, fresh):
        return fresh, True
    customer = find_customer_by(tx.session, phone=phone, lid=lid)
    if customer is None:
        raise DatabaseBusyError  # stored and erased between our looks: the caller tries again
    _learn(tx, customer, phone=phone, lid=lid)
    return customer, False


def find_customer_by(session: Session, *, phone: str, lid: str | None) -> Customer | None:
    """By phone first: where a phone and a LID lead to two customers, the phone's is meant."""
    key = phone_key(phone) if phone else None
    found = session.scalars(_FIND, {"phone_key": key, "lid": lid or None}).all()
    by_phone = [customer for customer in found if key and customer.phone_key == key]
    return next(iter(by_phone or found), None)


def _learn(tx: Transaction, customer: Customer, *, phone: str, lid: str | None) -> None:
    known = customer.phone, customer.lid
    if phone and not customer.phone:
        customer.phone, customer.phone_key = phone, phone_key(phone)
    taken = select(Customer.id).where(Customer.lid == lid)
    if lid and not customer.lid and tx.session.scalar(taken) is None:
        customer.lid = lid
    if known != (customer.phone, customer.lid):
        _announce(tx, customer)


def change_fields(customer: Customer, changes: Mapping[str, Any]) -> bool:
    """Set the fields that differ; whether there were any."""
    # As JSON, where 1 and true are two values; Python and SQLAlchemy call them equal.
    differing = {
        name: value
        for name, value in changes.items()
        if orjson.dumps(getattr(customer, name)) != orjson.dumps(value)
    }
    for name, value in differing.items():
        setattr(customer, name, value)
        flag_modified(customer, name)
    return bool(differing)


def _apply(tx: Transaction, customer: Customer, changes: Mapping[str, Any]) -> None:
    if change_fields(customer, changes):
        _announce(tx, customer)


def _announce(tx: Transaction, customer: Customer) -> None:
    customer.updated_at = clock.now()
    tx.record(CustomerUpdated(customer_id=customer.id, customer=wire.customer_summary(customer)))
