"""Who calls: looked up by the hash of what a cookie or a header holds."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from crm import clock
from crm.actors import Actor, ActorKind
from crm.extensions import db
from crm.models import Agent, AgentSession, ApiToken, Role, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An agent in a session, who has a role, or a script with a token, which has a scope."""

    actor: Actor
    proof: str
    """The hash that it was found by; unique to one session or token."""
    role: Role | None = None
    scope: Scope | None = None


_SESSION = (
    select(Agent.id, Agent.name, Agent.role)
    .join(AgentSession, AgentSession.agent_id == Agent.id)
    .where(
        AgentSession.secret_hash == bindparam("proof"),
        AgentSession.ends_at > bindparam("now"),
        Agent.disabled_at.is_(None),
    )
)
_TOKEN = select(ApiToken.id, ApiToken.name, ApiToken.scope).where(
    ApiToken.secret_hash == bindparam("proof"), ApiToken.revoked_at.is_(None)
)


def find_agent(proof: str) -> Caller | None:
    """The agent of a session that is not over."""
    row = db.session.execute(_SESSION, {"proof": proof, "now": clock.now()}).one_or_none()
    db.session.rollback()  # no transaction is left open for what the view does first
    if row is None:
        return None
    actor = Actor(kind=ActorKind.AGENT, id=row.id, name=row.name)
    return Caller(actor=actor, proof=proof, role=Role(row.role))


def find_script(proof: str) -> Caller | None:
    """The script of a token that is not revoked."""
    row = db.session.execute(_TOKEN, {"proof": proof}).one_or_none()
    db.session.rollback()
    if row is None:
        return None
    actor = Actor(kind=ActorKind.TOKEN, id=row.id, name=row.name)
    return Caller(actor=actor, proof=proof, scope=Scope(row.scope))


def still_valid(proofs: Collection[str]) -> set[str]:
    """Those of the proofs that would still be let in."""
    sessions = (
        select(AgentSession.secret_hash)
        .join(Agent, AgentSession.agent_id == Agent.id)
        .where(
            AgentSession.secret_hash.in_(proofs),
            AgentSession.ends_at > clock.now(),
            Agent.disabled_at.is_(None),
        )
    )
    tokens = select(ApiToken.secret_hash).where(
        ApiToken.secret_hash.in_(proofs), ApiToken.revoked_at.is_(None)
    )
    return set(db.session.scalars(sessions.union_all(tokens)))
