"""Who looks at a chat, as agents see it of each other."""

from sqlalchemy import select

from crm.actors import Actor
from crm.errors import CustomerNotFoundError
from crm.events import PresenceChanged
from crm.extensions import db
from crm.models import Customer
from crm.presence import PresenceState, presence


def show_presence(
    customer_id: int, state: PresenceState, *, client_id: str, actor: Actor
) -> PresenceChanged:
    """A browser comes to a chat, stays, types or goes; returns who is there then.

    Raises `CustomerNotFoundError`. Without Redis everybody is alone.
    """
    found = db.session.scalar(select(Customer.id).where(Customer.id == customer_id))
    db.session.rollback()  # nothing is left open while Redis is waited for
    if found is None:
        raise CustomerNotFoundError
    return presence.note(customer_id, state, client_id=client_id, agent=actor.as_author())
