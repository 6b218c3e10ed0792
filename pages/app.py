"""The page at an address of its own (:3000), with the API at another port."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.addresses import is_loopback_host
from config.browser_headers import HARDENING
from config.settings import Settings
from pages.serving import Pages, answer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")


def create_app(settings: Settings) -> Pages:
    """The page and nothing else. Needs no database and no Redis."""
    return Pages(
        answer_others, settings, find_api=lambda environ: api_address(settings.backend_url, environ)
    )


def answer_others(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """`/healthz`, and that there is nothing else."""
    if environ.get("PATH_INFO") == "/healthz":
        return answer(environ, start_response, "200 OK", {"status": "alive"}, HARDENING)
    nothing = {"detail": "There is nothing at this address."}
    return answer(environ, start_response, "404 Not Found", nothing, HARDENING)


def api_address(backend_url: str, environ: "WSGIEnvironment") -> str:
    """The API by the name that this page was called by, so that cookies and CORS fit.

    A backend that is not on this machine is called by its own address.
    """
    parts = urlsplit(backend_url)
    if not is_loopback_host(parts.hostname):
        return f"{parts.scheme}://{parts.netloc}"
    called = HOST.fullmatch(environ.get("HTTP_HOST", ""))
    name = called[1] if called else "localhost"
    return f"{parts.scheme}://{name}:{parts.port}" if parts.port else f"{parts.scheme}://{name}"
