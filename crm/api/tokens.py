"""/tokens: how scripts call this API. Only owners make and revoke them."""

from typing import Any

from flask import Response

from crm import wire
from crm.api.access import owner
from crm.api.answers import json_answer
from crm.api.callers import current_actor
from crm.api.known_callers import known_callers
from crm.api.parsing import ApiBlueprint
from crm.models import Scope
from crm.queries import accounts as queries
from crm.schemas.accounts import CreateTokenSchema, NewTokenSchema, TokenSchema
from crm.services import tokens as services

blp = ApiBlueprint("tokens", __name__, url_prefix="/tokens", description=__doc__)


@blp.route("", methods=["GET"])
@owner
@blp.response(200, TokenSchema(many=True))
def list_tokens() -> Response:
    """Every token, the revoked ones too, newest first."""
    return json_answer([wire.api_token(token) for token in queries.list_tokens()])


@blp.route("", methods=["POST"])
@owner
@blp.arguments(CreateTokenSchema)
@blp.response(201, NewTokenSchema)
def create_token(data: dict[str, Any]) -> Response:
    """Make a token; it is in this answer, and nowhere else ever again."""
    token, text = services.create_token(
        name=data["name"], scope=Scope(data["scope"]), actor=current_actor()
    )
    return json_answer(wire.api_token(token) | {"token": text}, 201)


@blp.route("/<id:token_id>", methods=["DELETE"])
@owner
@blp.response(204)
@blp.alt_response(404, description="There is no such token.")
def revoke_token(token_id: int) -> Response:
    """End a token for good; it stays in the list."""
    services.revoke_token(token_id, actor=current_actor())
    known_callers.forget()
    return Response(status=204)
