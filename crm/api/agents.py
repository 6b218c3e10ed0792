"""/agents: the accounts of those who answer customers. Only owners see and change them."""

from typing import Any

from flask import Response

from crm import wire
from crm.api.access import owner
from crm.api.answers import json_answer
from crm.api.callers import current_actor
from crm.api.known_callers import known_callers
from crm.api.parsing import ApiBlueprint
from crm.credentials import make_password
from crm.models import Agent, Role
from crm.queries import accounts as queries
from crm.schemas.accounts import (
    AgentSchema,
    CreateAgentSchema,
    NewAgentSchema,
    UpdateAgentSchema,
)
from crm.services import agents as services

blp = ApiBlueprint("agents", __name__, url_prefix="/agents", description=__doc__)
NO_SUCH_AGENT = "There is no such agent."


@blp.route("", methods=["GET"])
@owner
@blp.response(200, AgentSchema(many=True))
def list_agents() -> Response:
    """Every account, the disabled ones too, oldest first."""
    return json_answer([wire.agent(agent) for agent in queries.list_agents()])


@blp.route("", methods=["POST"])
@owner
@blp.arguments(CreateAgentSchema)
@blp.response(201, NewAgentSchema)
@blp.alt_response(409, description="Another agent has this login.")
def create_agent(data: dict[str, Any]) -> Response:
    """Add an account; its password is in this answer, and nowhere else ever again."""
    password = make_password()
    agent = services.create_agent(
        login=data["login"],
        name=data["name"],
        role=Role(data["role"]),
        password=password,
        actor=current_actor(),
    )
    return _show_once(agent, password, status=201)


@blp.route("/<id:agent_id>", methods=["PATCH"])
@owner
@blp.arguments(UpdateAgentSchema)
@blp.response(200, AgentSchema)
@blp.alt_response(404, description=NO_SUCH_AGENT)
@blp.alt_response(409, description="Nobody would be left who is an owner.")
def update_agent(changes: dict[str, Any], agent_id: int) -> Response:
    """Rename, promote, demote, disable or enable; who is disabled is out within a minute."""
    agent = services.update_agent(agent_id, changes, actor=current_actor())
    known_callers.forget()
    return json_answer(wire.agent(agent))


@blp.route("/<id:agent_id>/reset_password", methods=["POST"])
@owner
@blp.response(200, NewAgentSchema)
@blp.alt_response(404, description=NO_SUCH_AGENT)
def reset_password(agent_id: int) -> Response:
    """Give an agent a new password, shown this once; every session of theirs ends."""
    password = make_password()
    agent = services.reset_password(agent_id, password, actor=current_actor())
    known_callers.forget()
    return _show_once(agent, password)


def _show_once(agent: Agent, password: str, *, status: int = 200) -> Response:
    response = json_answer(wire.agent(agent) | {"password": password}, status)
    response.headers["Cache-Control"] = "no-store"
    return response
