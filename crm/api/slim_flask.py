"""Flask without what each request of this API would pay for and never use."""

import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import orjson
from flask import Flask, Request
from flask.json.provider import JSONProvider
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeTimedSerializer

RENEWED_AFTER = 60.0
"""Seconds that a session's cookie is left as it is: by so much sooner may an idle session end."""


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson: faster, and the same bytes as in lists and events."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)


class DatedSession(SecureCookieSession):
    """A session that knows when its cookie was signed, in seconds since 1970; 0 without one."""

    signed_at = 0.0


class KeptSigner(SecureCookieSessionInterface):
    """Cookies signed by one signer, where Flask makes two for each request that has none.

    A session ends so long after its cookie was signed. Flask signs it anew with every answer, and
    then no two requests of a browser have the same words, by which `crm/api/asked_again.py` goes.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app

    @cached_property
    def _signer(self) -> URLSafeTimedSerializer | None:
        return super().get_signing_serializer(self._app)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return self._signer

    def open_session(self, app: Flask, request: Request) -> DatedSession | None:
        """As Flask does, but for the date."""
        if self._signer is None:
            return None
        cookie = request.cookies.get(self.get_cookie_name(app))
        if not cookie:
            return DatedSession()
        lifetime = int(app.permanent_session_lifetime.total_seconds())
        try:
            data, signed = self._signer.loads(cookie, lifetime, return_timestamp=True)
        except BadSignature:
            return DatedSession()
        session = DatedSession(data)
        session.signed_at = signed.timestamp()
        return session

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Whether it was changed, or is due to be renewed."""
        age = time.time() - getattr(session, "signed_at", 0.0)
        return session.modified or (session.permanent and age >= RENEWED_AFTER)


class SlimFlask(Flask):
    """A Flask whose views and hooks are all synchronous."""

    json_provider_class = OrjsonProvider

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.session_interface = KeptSigner(self)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: Flask looks at every hook of every request whether it is a coroutine."""
        return func
