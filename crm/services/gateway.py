"""What the backend knows and shows of the gateway."""

from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from crm import clock
from crm.events import GatewayStatusChanged
from crm.gateway_client import GatewayError, gateway
from crm.models import Customer, Erasure, GatewayLink
from crm.services.circuit import LINK_ID
from crm.transaction import transaction

TOLD = ("ready", "need_qr", "session_active", "state", "driver", "detail")
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
    """Keep the gateway's status, and tell the browsers where it changed."""
    status = fetch_gateway_status()
    told = {name: status[name] for name in TOLD if name in status}
    with transaction() as tx:
        link = tx.session.get(GatewayLink, LINK_ID, with_for_update=True)
        if link is None:
            return
        link.checked_at = clock.now()
        if link.status != told:
            link.status = told
            tx.record(GatewayStatusChanged(customer_id=None, gateway=told))


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


def _is_customer_again(session: Session, address: str) -> bool:
    known = or_(Customer.phone == address, Customer.lid == address.removesuffix("@lid"))
    return session.scalar(select(Customer.id).where(known).limit(1)) is not None
