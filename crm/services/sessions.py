"""Signing in and out."""

from datetime import timedelta

from sqlalchemy import delete, select

from crm import clock
from crm.actors import SYSTEM, Actor, ActorKind
from crm.credentials import fits, hash_secret, make_secret
from crm.errors import WrongPasswordError
from crm.extensions import db
from crm.models import Action, Agent, AgentSession
from crm.services.agents import end_sessions
from crm.services.audit import note
from crm.transaction import transaction

SESSION_LIFE = timedelta(days=7)
"""However busy it is; one that nobody uses ends earlier, with its cookie."""


def sign_in(login: str, password: str, *, address: str | None) -> str:
    """Open a session; returns its secret, of which only the hash is stored.

    Raises `WrongPasswordError`, the same and as late for a wrong password, an unknown login and
    a disabled agent.
    """
    known = _find(login)
    stored = known.password_hash if known and known.disabled_at is None else None
    if not fits(password, stored) or known is None:
        _note_failure(known, address)
        raise WrongPasswordError
    secret = make_secret()
    moment = clock.now()
    with transaction() as tx:
        # Locked, so that whoever disables the agent now also ends this session.
        agent = tx.session.scalar(select(Agent).where(Agent.id == known.id).with_for_update())
        if agent is None or agent.disabled_at or agent.password_hash != stored:
            raise WrongPasswordError
        own = AgentSession.agent_id == agent.id
        tx.session.execute(delete(AgentSession).where(own, AgentSession.ends_at < moment))
        session = AgentSession(
            secret_hash=hash_secret(secret),
            agent_id=agent.id,
            started_at=moment,
            ends_at=moment + SESSION_LIFE,
        )
        tx.session.add(session)
        note(tx, Action.SIGNED_IN, _actor(agent, address), subject=f"agent {agent.id}")
        return secret


def sign_out(secret_hash: str, *, actor: Actor) -> None:
    """End one session: a copy of its cookie is worth nothing from now on."""
    with transaction() as tx:
        tx.session.execute(delete(AgentSession).where(AgentSession.secret_hash == secret_hash))
        note(tx, Action.SIGNED_OUT, actor, subject=f"agent {actor.id}")


def sign_out_everywhere(*, actor: Actor) -> None:
    """End every session of an agent."""
    assert actor.id is not None
    with transaction() as tx:
        end_sessions(tx, actor.id)
        note(tx, Action.SIGNED_OUT_EVERYWHERE, actor, subject=f"agent {actor.id}")


def _find(login: str) -> Agent | None:
    agent = db.session.scalar(select(Agent).where(Agent.login == login.strip().casefold()))
    db.session.rollback()  # nothing is open while passwords are looked at
    return agent


def _note_failure(known: Agent | None, address: str | None) -> None:
    """Without what was typed: people type passwords into the wrong field."""
    with transaction() as tx:
        stranger = Actor(kind=SYSTEM.kind, name="nobody", address=address)
        subject = f"agent {known.id}" if known else None
        note(tx, Action.SIGN_IN_FAILED, stranger, subject=subject)


def _actor(agent: Agent, address: str | None) -> Actor:
    return Actor(kind=ActorKind.AGENT, id=agent.id, name=agent.name, address=address)
