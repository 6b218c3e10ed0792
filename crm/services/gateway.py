"""What the backend knows and shows of the gateway."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import clock
from crm.events import GatewayStatusChanged
from crm.extensions import db
from crm.gateway_client import gateway
from crm.gateway_errors import GatewayError
from crm.models import Customer, Direction, Erasure, Message
from crm.phones import parse_lid, phone_key
from crm.services import circuit
from crm.transaction import transaction

MOST_READ = 500
"""Messages that the gateway marks as read at once."""
FIGURES = (
    ("sends", ("queue",)),
    ("callbacks", ("callbacks", "pending")),
    ("dead_callbacks", ("callbacks", "dead")),
    ("media", ("media", "pending")),
    ("updates", ("updates", "pending")),
    ("unreadable_updates", ("updates", "unreadable")),
)
"""What of the status is kept for `/metrics`, and where it stands there."""
TOLD = ("ready", "need_qr", "session_active", "state", "driver", "advice", "detail")
"""What of the status browsers are told of when it changes; ages change all the time."""


def fetch_gateway_status() -> dict[str, Any]:
    """The gateway's status, or one that says that it cannot be reached."""
    try:
        return gateway.fetch_status()
    except GatewayError as error:
        return {
            "ready": False,
            "need_qr": False,
            "session_active": False,
            "state": "unreachable",
            "detail": error.reason,
        }


def refresh_gateway_status() -> None:
    """Ask the gateway how it is, keep that, and tell the browsers where it changed."""
    status = fetch_gateway_status()
    told = {name: status.get(name) for name in TOLD}
    _keep_status(lambda known: _without_nulls(told), figures=_read_figures(status))


def note_gateway_status(pushed: Mapping[str, Any]) -> dict[str, Any]:
    """The gateway says of itself that its state changed; what it leaves out stays as known."""
    changes = {name: pushed[name] for name in TOLD if name in pushed}
    if changes.get("state") != "unreachable":
        changes.setdefault("detail", None)
    return _keep_status(lambda known: _without_nulls(known | changes))


def _keep_status(
    change: Callable[[dict[str, Any]], dict[str, Any]], figures: dict[str, int] | None = None
) -> dict[str, Any]:
    with transaction() as tx:
        link = circuit.lock_link(tx.session)
        known = dict(link.status or {})
        # An absent gateway's queues are those that it had.
        figures = {**known.pop("figures", {}), **(figures or {})}
        told = change(known)
        link.checked_at = clock.now()
        if known != told:
            tx.record(GatewayStatusChanged(customer_id=None, gateway=told))
        kept = told | {"figures": figures} if figures else told
        if link.status != kept:
            link.status = kept
        return told


def _read_figures(status: Mapping[str, Any]) -> dict[str, int]:
    """The lengths of the gateway's queues; another gateway may tell of fewer, or of none."""
    found = {}
    for name, path in FIGURES:
        value: Any = status
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        if type(value) is int:
            found[name] = value
    return found


def _without_nulls(status: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in status.items() if value is not None}


def erase_at_gateway(erasure_id: int) -> str:
    """Have the gateway erase a deleted customer; the row stays until it has."""
    with transaction() as tx:
        erasure = tx.session.get(Erasure, erasure_id)
        if erasure is None:
            return "done"
        address = erasure.address
        if _is_customer_again(tx.session, address):
            # The gateway knows only the address, and would erase the newcomer's mail with the
            # old; of that it keeps no text once it is sent or delivered.
            tx.session.delete(erasure)
            return "customer_again"
    try:
        gateway.erase(address)
    except GatewayError as error:
        return error.code
    with transaction() as tx:
        erasure = tx.session.get(Erasure, erasure_id)
        if erasure:
            tx.session.delete(erasure)
    return "done"


def tell_read(customer_id: int, first_id: int, last_id: int) -> str:
    """Have the gateway send read receipts. Tried once: a receipt that is late says nothing."""
    customer = db.session.get(Customer, customer_id)
    whatsapp_ids = db.session.scalars(
        select(Message.whatsapp_id).where(
            Message.customer_id == customer_id,
            Message.direction == Direction.INBOUND,
            Message.id.between(first_id, last_id),
            Message.whatsapp_id.is_not(None),
        )
    ).all()
    address = customer.address if customer else ""
    db.session.rollback()  # no transaction stays open across HTTP
    if not address or not whatsapp_ids:
        return "nothing_to_tell"
    try:
        for start in range(0, len(whatsapp_ids), MOST_READ):
            part = whatsapp_ids[start : start + MOST_READ]
            gateway.mark_read(address, [whatsapp_id for whatsapp_id in part if whatsapp_id])
    except GatewayError as error:
        return error.code
    return "told"


def _is_customer_again(session: Session, address: str) -> bool:
    lid = parse_lid(address)
    known = Customer.lid == lid if lid else Customer.phone_key == phone_key(address)
    return session.scalar(select(Customer.id).where(known).limit(1)) is not None
