"""Accounts: made, changed, disabled, and given new passwords."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from crm import clock
from crm.actors import Actor
from crm.credentials import fits, hash_password, hash_secret, make_secret
from crm.database import add_unless_taken
from crm.errors import (
    AgentNotFoundError,
    LastOwnerError,
    LoginTakenError,
    SetupLinkError,
    WrongPasswordError,
)
from crm.extensions import db
from crm.models import Action, Agent, AgentSession, Role, SetupLink
from crm.services.audit import note
from crm.transaction import Transaction, transaction

LINK_LIFE = timedelta(hours=24)


def create_agent(*, login: str, name: str, role: Role, password: str, actor: Actor) -> Agent:
    """Add an agent. Raises `LoginTakenError`."""
    password_hash = hash_password(password)
    with transaction() as tx:
        agent = _new_agent(login=login, name=name, role=role, password_hash=password_hash)
        _add(tx, agent, actor)
        return agent


def disable_agent(login: str, *, actor: Actor) -> Agent:
    """Lock an agent out: every session ends, open event streams within a minute."""
    with transaction() as tx:
        agent = _lock(tx.session, login)
        _set_disabled(tx, agent, True, actor=actor)
        return agent


def enable_agent(login: str, *, actor: Actor) -> Agent:
    """Let a disabled agent sign in again."""
    with transaction() as tx:
        agent = _lock(tx.session, login)
        _set_disabled(tx, agent, False, actor=actor)
        return agent


def update_agent(agent_id: int, changes: Mapping[str, Any], *, actor: Actor) -> Agent:
    """Change `name`, `role` or `disabled`; raises `LastOwnerError` where no owner would be left."""
    with transaction() as tx:
        # In one order, and before the agent: of two owners who demote each other one stays.
        owners = _lock_owners(tx.session)
        agent = _lock(tx.session, agent_id)
        role, disabled = Role(changes.get("role", agent.role)), changes.get("disabled")
        if owners == [agent.id] and (disabled or role != Role.OWNER):
            raise LastOwnerError
        name = changes.get("name", agent.name)
        if (name, role) != (agent.name, agent.role):
            agent.name, agent.role = name, role
            note(tx, Action.AGENT_CHANGED, actor, subject=f"agent {agent.id}")
        if disabled is not None:
            _set_disabled(tx, agent, disabled, actor=actor)
        return agent


def reset_password(which: str | int, password: str, *, actor: Actor) -> Agent:
    """Give an agent, by login or id, a new password; every session ends."""
    password_hash = hash_password(password)
    with transaction() as tx:
        agent = _lock(tx.session, which)
        agent.password_hash = password_hash
        end_sessions(tx, agent.id)
        note(tx, Action.PASSWORD_RESET, actor, subject=f"agent {agent.id}")
        return agent


def change_password(*, old: str, new: str, keep: str, actor: Actor) -> None:
    """An agent's own change: every session but `keep`, a secret's hash, ends.

    Raises `WrongPasswordError`.
    """
    known = db.session.scalar(select(Agent.password_hash).where(Agent.id == actor.id))
    db.session.rollback()  # nothing is open while passwords are looked at
    if not fits(old, known):
        raise WrongPasswordError("The current password is wrong.")
    password_hash = hash_password(new)
    with transaction() as tx:
        agent = tx.session.scalar(select(Agent).where(Agent.id == actor.id).with_for_update())
        if agent is None or agent.password_hash != known:
            raise WrongPasswordError("The password was changed meanwhile.")
        agent.password_hash = password_hash
        end_sessions(tx, agent.id, keep=keep)
        note(tx, Action.PASSWORD_CHANGED, actor, subject=f"agent {agent.id}")


def offer_setup() -> str | None:
    """A secret that makes its holder the first owner, once; None where there are agents."""
    with transaction() as tx:
        if _has_agents(tx.session):
            return None
        secret = make_secret()
        link = SetupLink(secret_hash=hash_secret(secret), expires_at=clock.now() + LINK_LIFE)
        tx.session.add(link)
        return secret


def set_up_owner(secret: str, *, login: str, name: str, password: str, actor: Actor) -> Agent:
    """Make the first owner. Raises `SetupLinkError` for a link that is used, old or made up."""
    _require_link(db.session(), secret)
    db.session.rollback()
    password_hash = hash_password(password)
    with transaction() as tx:
        _require_link(tx.session, secret)
        tx.session.execute(delete(SetupLink))
        agent = _new_agent(login=login, name=name, role=Role.OWNER, password_hash=password_hash)
        _add(tx, agent, actor)
        return agent


def _require_link(session: Session, secret: str) -> None:
    # All are locked: of two who come at once with two links, one becomes the owner.
    links = session.scalars(select(SetupLink).with_for_update()).all()
    known = {link.secret_hash for link in links if link.expires_at > clock.now()}
    if hash_secret(secret) not in known or _has_agents(session):
        raise SetupLinkError


def end_sessions(tx: Transaction, agent_id: int, *, keep: str | None = None) -> None:
    """End an agent's sessions, but the one whose secret's hash is `keep`."""
    sessions = delete(AgentSession).where(AgentSession.agent_id == agent_id)
    if keep is not None:
        sessions = sessions.where(AgentSession.secret_hash != keep)
    tx.session.execute(sessions)


def _new_agent(*, login: str, name: str, role: Role, password_hash: str) -> Agent:
    return Agent(
        login=login.strip().casefold(),
        name=name,
        role=role,
        password_hash=password_hash,
        created_at=clock.now(),
    )


def _add(tx: Transaction, agent: Agent, actor: Actor) -> None:
    taken = select(Agent.id).where(Agent.login == agent.login)
    if tx.session.scalar(taken) is not None or not add_unless_taken(tx.session, agent):
        raise LoginTakenError
    note(tx, Action.AGENT_CREATED, actor, subject=f"agent {agent.id}")


def _has_agents(session: Session) -> bool:
    return bool(session.scalar(select(exists().select_from(Agent))))


def _set_disabled(tx: Transaction, agent: Agent, disabled: bool, *, actor: Actor) -> None:
    if disabled != (agent.disabled_at is not None):
        agent.disabled_at = clock.now() if disabled else None
        action = Action.AGENT_DISABLED if disabled else Action.AGENT_ENABLED
        note(tx, action, actor, subject=f"agent {agent.id}")
    if disabled:
        end_sessions(tx, agent.id)


def _lock_owners(session: Session) -> list[int]:
    """The ids of all who may sign in as an owner."""
    owners = select(Agent.id).where(Agent.role == Role.OWNER, Agent.disabled_at.is_(None))
    return list(session.scalars(owners.order_by(Agent.id).with_for_update()))


def _lock(session: Session, which: str | int) -> Agent:
    """The agent with this login or id."""
    is_meant = Agent.id == which
    if isinstance(which, str):
        is_meant = Agent.login == which.strip().casefold()
    agent = session.scalar(select(Agent).where(is_meant).with_for_update())
    if agent is None:
        raise AgentNotFoundError
    return agent
