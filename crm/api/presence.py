"""/customers/{id}/presence: who looks at a chat, and who types."""

from dataclasses import asdict
from typing import Any

from flask import Response

from crm.api.access import agent
from crm.api.answers import json_answer
from crm.api.callers import current_actor
from crm.api.parsing import ApiBlueprint
from crm.presence import PresenceState
from crm.schemas.presence import PresenceSchema, PresencesSchema
from crm.services import presence as services

blp = ApiBlueprint("presence", __name__, url_prefix="/customers", description=__doc__)


@blp.route("/<id:customer_id>/presence", methods=["PUT"])
@agent
@blp.arguments(PresenceSchema)
@blp.response(200, PresencesSchema)
@blp.alt_response(404, description="There is no such customer.")
def show_presence(data: dict[str, Any], customer_id: int) -> Response:
    """Say that this browser shows the chat; the answer names all that do, oneself included.

    To be repeated every 20 s, every 4 s while typing: it ends by itself 45 s after the last time,
    typing after 10 s. The others learn it by the event `presence`. A hint only: without Redis
    everybody is alone.
    """
    told = services.show_presence(
        customer_id,
        PresenceState(data["state"]),
        client_id=data["client_id"],
        actor=current_actor(),
    )
    return json_answer(asdict(told))
