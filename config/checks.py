"""What a process refuses to start with, each as one sentence that names the way out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from config.addresses import is_loopback_host, is_loopback_url

if TYPE_CHECKING:
    from config.settings import Settings

EXACT_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d+)?", re.IGNORECASE)
RATE = re.compile(r"[1-9]\d{0,8}/(second|minute|hour|day)")
MIN_SECRET = 32
MOST_DAYS = 36_500
MIN_FLOWER_PASSWORD = 16
CLOUD_NEEDS = {
    "WHATSAPP_TOKEN": "the access token of a system user",
    "WHATSAPP_PHONE_ID": "the phone number's id, not the number itself",
    "WHATSAPP_APP_SECRET": "the app's secret, which proves that updates come from WhatsApp",
    "WHATSAPP_VERIFY_TOKEN": "a word of your own, which you also type in at Meta",
}
PRINTABLE = re.compile(r"[!-~]+")
META_ID = re.compile(r"[0-9]{1,32}")
MAKE_ONE = 'make one with: python -c "import secrets; print(secrets.token_urlsafe(48))"'


def find_problem(settings: Settings, role: Literal["backend", "gateway"]) -> str | None:
    """The first reason not to start, or None."""
    checks = (_bad_number, _too_many_days, _bad_address, _bad_worker_class, _open_to_strangers)
    for find in checks:
        if problem := find(settings):
            return problem
    if role == "gateway" and settings.gateway_driver == "cloud":
        if problem := _bad_cloud(settings):
            return problem
    if settings.is_production:
        return _weak_production(settings, role)
    return None


def find_flower_problem(settings: Settings) -> str | None:
    """Why Flower, which can stop every worker, must not be shown here; or None."""
    if settings.is_production and not settings.flower_accounts:
        return (
            "it is off in production; set FLOWER_BASIC_AUTH=name:password to have it, "
            "or leave the process out."
        )
    for account in settings.flower_accounts:
        name, _, password = account.partition(":")
        if not name or not password:
            return "FLOWER_BASIC_AUTH must be name:password, several separated by commas."
        if settings.is_production and len(password) < MIN_FLOWER_PASSWORD:
            return (
                f"the password of FLOWER_BASIC_AUTH is shorter than {MIN_FLOWER_PASSWORD} "
                f"characters; {MAKE_ONE}"
            )
    return None


def _bad_cloud(settings: Settings) -> str | None:
    """Found here, what is missing is said before anything runs; what is wrong, WhatsApp says."""
    cloud = settings.cloud
    given = {
        "WHATSAPP_TOKEN": cloud.token,
        "WHATSAPP_PHONE_ID": cloud.phone_id,
        "WHATSAPP_APP_SECRET": cloud.app_secret,
        "WHATSAPP_VERIFY_TOKEN": cloud.verify_token,
        "WHATSAPP_BUSINESS_ID": cloud.business_id,
    }
    for name, meaning in CLOUD_NEEDS.items():
        if not given[name]:
            return (
                f"{name} is missing, GATEWAY_DRIVER=cloud needs it: {meaning}; "
                "docs/whatsapp-cloud.md says where to find it."
            )
    for name in ("WHATSAPP_PHONE_ID", "WHATSAPP_BUSINESS_ID"):
        if given[name] and not META_ID.fullmatch(given[name]):
            return f"{name}={given[name]} is no id of Meta's, it must be digits only."
    for name in ("WHATSAPP_TOKEN", "WHATSAPP_APP_SECRET"):
        if not PRINTABLE.fullmatch(given[name]):
            return f"{name} has a character that no such value has; copy it again, without quotes."
    if not cloud.graph_url.startswith("https://") and not is_loopback_url(cloud.graph_url):
        return f"GRAPH_URL={cloud.graph_url} would show the token to others, use https://."
    return None


def _bad_number(settings: Settings) -> str | None:
    for name, value, least in (
        ("PORT", settings.port if settings.port is not None else 1, 1),
        ("PROXY_HOPS", settings.proxy_hops, 0),
        ("WEB_CONCURRENCY", settings.web_concurrency, 1),
        ("WEB_THREADS", settings.web_threads, 2),
        ("STREAMS_PER_AGENT", settings.streams_per_agent, 1),
        ("SEND_LEASE", settings.send_lease, 1),
        ("MEDIA_MAX_BYTES", settings.media.max_bytes, 1),
        ("MEDIA_KEEP_DAYS", settings.media.keep_days, 0),
        ("RETENTION_DAYS", settings.retention_days, 0),
        ("AUDIT_DAYS", settings.audit_days, 0),
    ):
        if value < least:
            return f"{name}={value:g} is too small, it must be at least {least}."
    if settings.port is not None and settings.port > 65535:
        return f"PORT={settings.port} is no port, the highest is 65535."
    if not 0 < settings.send_retry_base <= 3600:
        return "SEND_RETRY_BASE must be more than 0 and at most 3600 seconds."
    if not 0 < settings.probe_interval <= 3600:
        return "PROBE_INTERVAL must be more than 0 and at most 3600 seconds."
    if not RATE.fullmatch(settings.rate_limit):
        return f"RATE_LIMIT={settings.rate_limit} is no rate, write it like 600/minute."
    return None


def _too_many_days(settings: Settings) -> str | None:
    for name, days in (
        ("RETENTION_DAYS", settings.retention_days),
        ("AUDIT_DAYS", settings.audit_days),
    ):
        if days > MOST_DAYS:
            return f"{name}={days} is too large; 0 keeps everything for ever."
    return None


def _bad_address(settings: Settings) -> str | None:
    for name, url in (("GATEWAY_URL", settings.gateway_url), ("BACKEND_URL", settings.backend_url)):
        if not url.startswith(("http://", "https://")):
            return f"{name}={url} is no address, it must begin with http:// or https://."
    for origin in settings.cors_origins:
        if not EXACT_ORIGIN.fullmatch(origin):
            return (
                f"CORS_ORIGINS has {origin}, which is no exact origin; write each like "
                "https://app.example.com, without * and without a path."
            )
    return None


def _bad_worker_class(settings: Settings) -> str | None:
    if settings.web_worker_class not in {"gthread", "gevent"}:
        return f"WEB_WORKER_CLASS={settings.web_worker_class} is neither gthread nor gevent."
    if settings.web_worker_class == "gevent" and settings.uses_sqlite:
        # One lock on the file would freeze every green thread of the process (measured: 3.3 s).
        return "WEB_WORKER_CLASS=gevent needs PostgreSQL; set DATABASE_URL or use gthread."
    return None


def _open_to_strangers(settings: Settings) -> str | None:
    if not settings.auth_required and not is_loopback_host(settings.host):
        return (
            f"HOST={settings.host} would open an inbox without sign-in to the network; "
            "set AUTH_REQUIRED=true or HOST=127.0.0.1."
        )
    return None


def _weak_production(settings: Settings, role: Literal["backend", "gateway"]) -> str | None:
    if settings.debug:
        return "FLASK_DEBUG must be off in production."
    if not settings.internal_tokens:
        return f"INTERNAL_TOKEN is missing in production; {MAKE_ONE}"
    if any(len(token) < MIN_SECRET for token in settings.internal_tokens):
        return f"INTERNAL_TOKEN is shorter than {MIN_SECRET} characters; {MAKE_ONE}"
    if role == "backend" and len(settings.secret_key) < MIN_SECRET:
        fault = "shorter than 32 characters" if settings.secret_key else "missing in production"
        return f"SECRET_KEY is {fault}; {MAKE_ONE}"
    if role == "gateway" and not settings.gateway_driver_is_chosen:
        return (
            "GATEWAY_DRIVER is missing in production; the simulator, which only pretends to send, "
            "has to be asked for by name."
        )
    return _sqlite_across_machines(settings, role)


def _sqlite_across_machines(settings: Settings, role: Literal["backend", "gateway"]) -> str | None:
    """A file database beside services on other machines means an ephemeral or unshared disk."""
    if role == "gateway":
        name, url = "GATEWAY_DATABASE_URL", settings.gateway_database_url
        others = {"BACKEND_URL": settings.backend_url}
    else:
        name, url = "DATABASE_URL", settings.database_url
        others = {
            "REDIS_URL": settings.redis_url or "unix:///",
            "GATEWAY_URL": settings.gateway_url,
            "BACKEND_URL": settings.backend_url,
        }
    for other, address in others.items():
        if url.startswith("sqlite") and not is_loopback_url(address):
            return (
                f"{name} is SQLite while {other} is on another machine, so its file would be lost "
                f"or not shared; set {name} to a PostgreSQL URL."
            )
    return None
