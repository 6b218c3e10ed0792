"""Who may call a view: each says so by a decorator, and nothing runs before it was decided.

The decision falls before the body is parsed and before any id is looked up.
"""

import hmac
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, current_app, g, request

from config.addresses import is_loopback_host
from crm.actors import ActorKind
from crm.api.callers import current_caller, has_csrf_token, is_fresh
from crm.errors import ForbiddenError, NotSignedInError
from crm.models import Role, Scope
from crm.queries.callers import Caller

View = TypeVar("View", bound=Callable[..., Any])

MAX_BODY = 256 * 1024
MAX_INBOX_BODY = 32 * 1024 * 1024
"""A gateway may send `media_base64` along, which is read and dropped."""
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Access(StrEnum):
    PUBLIC = "public"  # anyone
    AGENT = "agent"  # signed in, where sign-in is required; tokens may look
    SENDING = "sending"  # the same, and tokens that may send
    OWNER = "owner"  # an owner, where sign-in is required; no token
    PERSON = "person"  # signed in, required or not; no token
    INTERNAL = "internal"  # the gateway and other services
    AGENT_OR_INTERNAL = "agent_or_internal"


def access(rule: Access, *, max_body: int = MAX_BODY) -> Callable[[View], View]:
    """Say who may call a view, and how large a body it takes."""

    def mark(view: View) -> View:
        view.access, view.max_body = rule, max_body  # type: ignore[attr-defined]
        return view

    return mark


public = access(Access.PUBLIC)
agent = access(Access.AGENT)
sending = access(Access.SENDING)
owner = access(Access.OWNER)
person = access(Access.PERSON)
internal = access(Access.INTERNAL)
internal_inbox = access(Access.INTERNAL, max_body=MAX_INBOX_BODY)
agent_or_internal = access(Access.AGENT_OR_INTERNAL)


def access_of(endpoint: str) -> Access | None:
    """The rule of an endpoint, or None where it has none (a wiring test allows no such)."""
    return getattr(current_app.view_functions[endpoint], "access", None)


def init_access(app: Flask) -> None:
    """Ask before every request."""
    app.before_request(decide)


def decide() -> None:
    """Raise `NotSignedInError` or `ForbiddenError`, or let the request in."""
    if request.endpoint is None or request.method == "OPTIONS":
        return
    view = current_app.view_functions[request.endpoint]
    request.max_content_length = getattr(view, "max_body", MAX_BODY)
    rule = getattr(view, "access", None)
    if rule in {Access.INTERNAL, Access.AGENT_OR_INTERNAL} and _is_internal():
        g.is_internal = True
        return
    if rule == Access.INTERNAL:
        raise NotSignedInError("This endpoint is for the product's own services only.")
    _refuse_foreign_pages()
    _refuse_foreign_names()
    if rule != Access.PUBLIC:
        _require(rule)


def _require(rule: Access | None) -> None:
    caller = current_caller()
    if caller is None:
        if rule == Access.PERSON or current_app.config["AUTH_REQUIRED"]:
            raise NotSignedInError("Sign in first.")
    elif caller.actor.kind == ActorKind.TOKEN:
        _require_scope(rule, caller)
    else:
        _require_role(rule, caller)


def _require_scope(rule: Access | None, caller: Caller) -> None:
    if rule in {Access.OWNER, Access.PERSON}:
        raise ForbiddenError("A token may not do this; sign in.")
    may_send = rule == Access.SENDING and caller.scope == Scope.SEND
    if request.method in UNSAFE and not may_send:
        raise ForbiddenError("This token may not do that.")


def _require_role(rule: Access | None, caller: Caller) -> None:
    if rule == Access.OWNER and caller.role != Role.OWNER:
        raise ForbiddenError("Only an owner may do this.")
    if request.method not in UNSAFE:
        return
    if not has_csrf_token():
        raise ForbiddenError("The X-CSRF-Token header is missing or old; GET /auth/me tells it.")
    if rule == Access.OWNER and not is_fresh():
        raise ForbiddenError("Your address or browser changed: sign in again to do this.")


def _is_internal() -> bool:
    """Proved by the token; without one configured, by coming from this very machine.

    A page whose name was pointed here comes from it too, but asks for that name.
    """
    tokens: tuple[str, ...] = current_app.config["INTERNAL_TOKENS"]
    if tokens:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        # Every token is compared, so that the time tells nothing.
        matches = [hmac.compare_digest(given.strip().encode(), token.encode()) for token in tokens]
        return scheme.casefold() == "bearer" and any(matches)
    through_others = "Origin" in request.headers or any(
        name.casefold().startswith("x-forwarded-") or name.casefold() == "forwarded"
        for name in request.headers.keys()
    )
    is_here = is_loopback_host(request.remote_addr) and _is_own_name(request.host)
    return is_here and not through_others


def _refuse_foreign_names() -> None:
    """Without sign-in only this machine is served, so a name that is not its own is a rebound one.

    A page whose own name was pointed at 127.0.0.1 is of the same origin as far as browsers know.
    """
    if current_app.config["AUTH_REQUIRED"]:
        return
    if not _is_own_name(request.host):
        raise ForbiddenError("Call this by localhost or 127.0.0.1, or set AUTH_REQUIRED=true.")


@lru_cache(maxsize=256)
def _is_own_name(host: str) -> bool:
    return is_loopback_host(urlsplit(f"//{host}").hostname)


def _refuse_foreign_pages() -> None:
    """A page of another origin must not act in the name of whoever has it open."""
    origin = request.headers.get("Origin")
    if request.method not in UNSAFE or origin is None:
        return
    if origin != request.host_url.rstrip("/") and origin not in current_app.config["CORS_ORIGINS"]:
        raise ForbiddenError("Pages of this origin may not do that; see CORS_ORIGINS.")
