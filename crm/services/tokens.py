"""Tokens of scripts."""

from datetime import timedelta

from sqlalchemy import or_, select, update

from crm import clock
from crm.actors import Actor
from crm.credentials import hash_secret, make_secret
from crm.errors import TokenNotFoundError
from crm.models import Action, ApiToken, Scope
from crm.services.audit import note
from crm.transaction import transaction

PREFIX = "crm_"
SHOWN = 10
"""Characters of a token that stay readable, to recognise it by."""
USE_GRAIN = timedelta(minutes=10)


def create_token(*, name: str, scope: Scope, actor: Actor) -> tuple[ApiToken, str]:
    """Make a token; returns it and its text, which nobody can be shown again."""
    text = make_secret(PREFIX)
    with transaction() as tx:
        token = ApiToken(
            name=name,
            prefix=text[:SHOWN],
            secret_hash=hash_secret(text),
            scope=scope,
            created_by=actor.name,
            created_at=clock.now(),
        )
        tx.session.add(token)
        tx.session.flush()
        note(tx, Action.TOKEN_CREATED, actor, subject=f"token {token.id}")
        return token, text


def revoke_token(token_id: int, *, actor: Actor) -> ApiToken:
    """End a token for good; open event streams within a minute."""
    with transaction() as tx:
        token = tx.session.scalar(select(ApiToken).where(ApiToken.id == token_id).with_for_update())
        if token is None:
            raise TokenNotFoundError
        if token.revoked_at is None:
            token.revoked_at = clock.now()
            note(tx, Action.TOKEN_REVOKED, actor, subject=f"token {token.id}")
        return token


def note_use(token_id: int) -> None:
    """Keep that a token is in use, to within some minutes."""
    moment = clock.now()
    is_old = or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at < moment - USE_GRAIN)
    with transaction() as tx:
        tx.session.execute(
            update(ApiToken).where(ApiToken.id == token_id, is_old).values(last_used_at=moment)
        )
