"""What a page may load, and from where: its Content-Security-Policy and the other headers."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from config.browser_headers import HARDENING, ONLY_TLS
from config.settings import Settings

PICTURES_OF_WHATSAPP = "https://*.whatsapp.net"


def page_headers(settings: Settings, *, api: str = "") -> dict[str, str]:
    """Of every answer to a page; `api` is the API's address where it is not the page's own."""
    tls = ONLY_TLS if settings.is_production else {}
    policy = content_policy(api=api, pictures=picture_origins(settings))
    return {**HARDENING, **tls, "Content-Security-Policy": policy}


def content_policy(*, api: str, pictures: Iterable[str]) -> str:
    """Own files only, the API, and pictures of customers; no script or style inside a page."""
    sources = {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:", api, PICTURES_OF_WHATSAPP, *pictures],
        "font-src": ["'self'"],
        "connect-src": ["'self'", api],
        "media-src": ["'self'", api],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
    }
    return "; ".join(" ".join([name, *filter(None, given)]) for name, given in sources.items())


def picture_origins(settings: Settings) -> list[str]:
    """Where the pretend customers' pictures are; none in production."""
    if settings.is_production:
        return []
    gateway = urlsplit(settings.gateway_url)
    # The simulator names itself by address, whatever name the gateway is called by.
    own = f"http://127.0.0.1:{gateway.port}" if gateway.port else ""
    return list(dict.fromkeys(filter(None, [f"{gateway.scheme}://{gateway.netloc}", own])))
