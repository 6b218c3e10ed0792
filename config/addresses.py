"""Small facts about addresses: what is loopback, and which driver a database URL means."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback_host(host: str | None) -> bool:
    """True for an address (or `localhost`) that only this machine can reach."""
    if not host:
        return False
    if host.casefold() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def is_loopback_url(url: str) -> bool:
    """True when the URL's host is this machine, or when it names a file or a socket."""
    parts = urlsplit(url)
    return parts.scheme.endswith(("unix", "socket")) or is_loopback_host(parts.hostname)


def normalize_database_url(url: str) -> str:
    """Heroku's `postgres://` and the plain `postgresql://`, both as psycopg 3 understands them."""
    scheme, separator, rest = url.partition("://")
    if separator and scheme in {"postgres", "postgresql"}:
        return f"postgresql+psycopg://{rest}"
    return url
