"""One line for every call of what is not everybody's: who, from where, and what came of it."""

import structlog
from flask import Flask, Response, g, request

from crm.api.access import Access, access_of

log = structlog.get_logger(__name__)

SENSITIVE = frozenset({Access.INTERNAL, Access.OWNER})


def init_access_log(app: Flask) -> None:
    """Look at every answer."""
    app.after_request(write_line)


def write_line(response: Response) -> Response:
    """Refusals too; never a body, a query or a token."""
    if request.endpoint and access_of(request.endpoint) in SENSITIVE:
        log.info(
            "sensitive_access",
            endpoint=request.endpoint,
            who=_who(),
            address=request.remote_addr,
            status=response.status_code,
        )
    return response


def _who() -> str:
    if g.get("is_internal"):
        return "service"
    caller = g.get("caller")
    return f"{caller.actor.kind} {caller.actor.id}" if caller else "nobody"
