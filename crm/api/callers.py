"""Who is calling: an agent by a session's cookie, or a script by its token.

The cookie is signed and holds a session's secret; whether that session lasts is asked of the
database, and remembered by each process for a moment (`crm/api/known_callers.py`).
"""

import hashlib
import hmac
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Flask, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_fresh, login_user, logout_user

from crm.actors import SYSTEM, Actor, ActorKind
from crm.api.known_callers import known_callers
from crm.errors import CrmError
from crm.queries.callers import Caller, find_agent, find_script
from crm.services import tokens

IDLE = timedelta(hours=12)
"""A session that nobody uses ends after so long."""


class SessionUser(UserMixin):  # type: ignore[misc]
    """An agent in a session, as flask-login wants it: its id is the session's secret."""

    def __init__(self, secret: str, caller: Caller) -> None:
        self._secret, self.caller = secret, caller

    def get_id(self) -> str:
        return self._secret


login_manager = LoginManager()


@login_manager.user_loader
def load_user(secret: str) -> SessionUser | None:
    """flask-login's question: whose session is this?"""
    caller = known_callers.find(secret, find_agent, kind=ActorKind.AGENT)
    return SessionUser(secret, caller) if caller else None


def _fingerprint() -> str:
    """What a session is bound to. Not flask-login's own, which believes any X-Forwarded-For."""
    seen = f"{request.remote_addr}|{request.headers.get('User-Agent', '')}"
    return hashlib.sha256(seen.encode(errors="replace")).hexdigest()


def init_callers(app: Flask, *, is_production: bool) -> None:
    """Set up the cookie and flask-login."""
    app.config.update(
        # The prefix makes browsers refuse one that a neighbouring domain tries to plant.
        SESSION_COOKIE_NAME="__Host-crm_session" if is_production else "crm_session",
        SESSION_COOKIE_SECURE=is_production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=IDLE,
    )
    # A new address or browser ends nothing (phones change theirs all day), but see `is_fresh`.
    login_manager.session_protection = "basic"
    login_manager._session_identifier_generator = _fingerprint
    login_manager.init_app(app, add_context_processor=False)


def current_caller() -> Caller | None:
    """Who calls, or None; a token wins over a cookie, also where it is wrong."""
    if "caller" not in g:
        g.caller = _find_caller()
    caller: Caller | None = g.caller
    return caller


def look_up_caller() -> Caller | None:
    """Who calls, and not from memory where it is an agent: the session may have ended elsewhere."""
    caller = current_caller()
    if caller and caller.role:
        secret = current_user.get_id()
        caller = known_callers.find(secret, find_agent, kind=ActorKind.AGENT, anew=True)
        g.caller = caller
    return caller


def current_actor() -> Actor:
    """Who calls, for the audit and as an author."""
    caller = current_caller()
    return replace(caller.actor if caller else SYSTEM, address=request.remote_addr)


def begin_session(secret: str) -> None:
    """Sign the browser in: nothing of an earlier session is kept, so none can be planted."""
    session.clear()
    session.permanent = True
    session["csrf"] = secrets.token_urlsafe(32)
    user = load_user(secret)
    assert user is not None
    login_user(user)
    g.caller = user.caller


def end_session() -> None:
    """Forget the browser's session; the caller has ended it in the database."""
    logout_user()
    session.clear()
    known_callers.forget()
    g.caller = None


def csrf_token() -> str:
    """What unsafe requests of this session must carry in `X-CSRF-Token`."""
    return str(session["csrf"])


def has_csrf_token() -> bool:
    """Whether this request carries it."""
    given = request.headers.get("X-CSRF-Token", "")
    wanted = session.get("csrf", "")
    return bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())


def is_fresh() -> bool:
    """Whether the session is still used from where its password was given."""
    return bool(login_fresh())


def _find_caller() -> Caller | None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() == "bearer":
        return _find_script(given.strip())
    if not session:  # as of whoever has no cookie: there is nothing to look for in it
        return None
    user: Any = current_user
    return user.caller if user.is_authenticated else None


def _find_script(given: str) -> Caller | None:
    caller = known_callers.find(given, find_script, kind=ActorKind.TOKEN)
    if caller and caller.actor.id and known_callers.is_use_due(caller):
        with suppress(CrmError):  # a note, for which no call may fail
            tokens.note_use(caller.actor.id)
    return caller
