"""Who may call: the internal token, or, where none is set, this machine only."""

import hmac

from flask import Flask, request
from werkzeug.exceptions import Unauthorized

from config.addresses import is_loopback_host
from config.settings import Settings


def add_access_rule(app: Flask, settings: Settings) -> None:
    """Guard every route of the `internal` blueprint, before its body is read."""

    @app.before_request
    def check_caller() -> None:
        if request.blueprint == "internal":
            require_internal(settings)


def require_internal(settings: Settings) -> None:
    """Raises Unauthorized (401) unless the caller is our backend."""
    if settings.internal_tokens:
        if not _has_token(settings.internal_tokens):
            raise Unauthorized("This needs the internal token.")
    elif not is_from_this_machine() or "Origin" in request.headers:
        raise Unauthorized("Without INTERNAL_TOKEN only this machine may call, and no browser.")


def is_from_this_machine() -> bool:
    """A loopback peer that asked for a loopback host, and no proxy speaking for someone else.

    The host is checked because a web page can point its own name at 127.0.0.1.
    """
    names = [name.casefold() for name, _ in request.headers]
    if any(name == "forwarded" or name.startswith("x-forwarded-") for name in names):
        return False
    return is_loopback_host(request.remote_addr) and is_loopback_host(_hostname(request.host))


def _hostname(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0]


def _has_token(tokens: tuple[str, ...]) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "bearer":
        return False
    # Compare with all of them, so that the time taken tells nothing about which one is close.
    matches = [hmac.compare_digest(given.strip().encode(), token.encode()) for token in tokens]
    return any(matches)
