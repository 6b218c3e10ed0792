"""Small facts about addresses: what is loopback, and which driver a database URL means."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit


@lru_cache(maxsize=1024)
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


def network_of(address: str | None) -> str:
    """Whose it is, as far as limits go: of IPv6 one customer of a provider has a whole /64."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return str(address)
    if isinstance(known, ipaddress.IPv4Address) or known.ipv4_mapped:
        return str(getattr(known, "ipv4_mapped", None) or known)
    return str(ipaddress.ip_network((known.packed, 64), strict=False))


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
