"""Builds the backend: settings, extensions, blueprints, commands."""

from pathlib import Path
from typing import Any

from flask import Flask
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.middleware.proxy_fix import ProxyFix

from config.redis import redis_url
from config.settings import Settings, load_settings
from crm.api.access import init_access
from crm.api.access_log import init_access_log
from crm.api.asked_again import AskedAgain
from crm.api.callers import init_callers
from crm.api.errors import init_errors
from crm.api.feed import feed
from crm.api.headers import init_headers
from crm.api.limits import init_limits
from crm.api.openapi import init_openapi
from crm.api.parsing import IdConverter
from crm.api.slim_flask import SlimFlask
from crm.api.stream_counts import stream_counts
from crm.api.tracing import init_tracing, timings
from crm.cli import init_cli
from crm.database import engine_options, prepare_engine
from crm.extensions import cors, db, migrate
from crm.gateway_client import DEADLINE, gateway
from crm.hints import hints
from crm.presence import presence
from crm.queue import bind_queue
from pages.serving import Pages

PREFIX = "crm:"
"""Of every Redis key and channel; pub/sub ignores database numbers."""
REDIS_PATIENCE = 0.5
"""Seconds that a command may take: what it carries is a hint."""
METHODS = ["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"]
REQUEST_HEADERS = [
    "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID", "X-CSRF-Token",
]  # fmt: skip
EXPOSED_HEADERS = [
    "ETag", "Link", "Location", "Retry-After", "X-Request-ID", "X-Stream-Cursor",
]  # fmt: skip


def create_app(settings: Settings | None = None) -> Flask:
    """An app bound to what the environment says, or to the settings given. Opens no connection."""
    settings = settings or load_settings()
    app = SlimFlask("crm", root_path=str(Path(__file__).parent), static_folder=None)
    app.url_map.converters["id"] = IdConverter
    app.url_map.redirect_defaults = False
    app.config.from_mapping(_config(settings))
    if settings.proxy_hops:
        hops = settings.proxy_hops
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, hops)  # type: ignore[method-assign]
    _init_database(app)
    _init_redis(app, settings)
    token = settings.internal_tokens[0] if settings.internal_tokens else None
    # A call must be over before its message's lease is, or another worker sends it meanwhile.
    limit = min(DEADLINE, settings.send_lease * 2 / 3)
    gateway.init_app(base_url=settings.gateway_url, token=token, deadline=limit)
    init_tracing(app)
    init_headers(app, is_production=settings.is_production)
    init_callers(app, is_production=settings.is_production)
    init_access(app)
    init_access_log(app)
    init_limits(app, redis_url=redis_url(settings), prefix=PREFIX)
    init_errors(app)
    init_openapi(app)
    init_cli(app)
    cors.init_app(
        app,
        origins=list(settings.cors_origins),
        methods=METHODS,
        allow_headers=REQUEST_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        supports_credentials=True,
        always_send=False,
        max_age=600,
    )
    app.wsgi_app = AskedAgain(app)  # type: ignore[method-assign]
    _init_pages(app, settings)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "INTERNAL_TOKENS": settings.internal_tokens,
        "AUTH_REQUIRED": settings.auth_required,
        "RATE_LIMIT": settings.rate_limit,
        "ALLOW_HTTP_PHOTOS": not settings.is_production,
        "BACKEND_URL": settings.backend_url,
        "CORS_ORIGINS": settings.cors_origins,
        "SEND_RETRY_BASE": settings.send_retry_base,
        "SEND_LEASE": settings.send_lease,
        "RETENTION_DAYS": settings.retention_days,
        "AUDIT_DAYS": settings.audit_days,
        "READ_RECEIPTS": settings.read_receipts,
        "STARTED_AT": settings.started_at,
    }


def _init_pages(app: Flask, settings: Settings) -> None:
    """The page at `/`, never at an address of the API."""
    routes = app.url_map.bind("localhost")

    def is_route(path: str) -> bool:
        return bool(list(routes.allowed_methods(path)))

    app.wsgi_app = Pages(app.wsgi_app, settings, is_taken=is_route)  # type: ignore[method-assign]


def _init_database(app: Flask) -> None:
    db.init_app(app)
    migrate.init_app(
        app, db, directory=str(Path(__file__).parent / "migrations"), render_as_batch=True
    )
    with app.app_context():
        prepare_engine(db.engine)


def _init_redis(app: Flask, settings: Settings) -> None:
    url = redis_url(settings)
    commands: Redis[Any] = Redis.from_url(
        url,
        socket_timeout=REDIS_PATIENCE,
        socket_connect_timeout=REDIS_PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
    # Blocking reads need a client of their own, with a longer patience than their block.
    channel_reader: Redis[Any] = Redis.from_url(
        url, socket_timeout=2, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0)
    )
    channel = f"{PREFIX}events"
    hints.init_app(celery=bind_queue(settings), redis=commands, channel=channel)
    presence.init_app(redis=commands, channel=channel, prefix=PREFIX)
    timings.init_app(redis=commands, prefix=PREFIX)
    stream_counts.init_app(redis=commands, prefix=PREFIX)
    feed.init_app(
        app,
        redis=channel_reader,
        channel=channel,
        max_streams=settings.max_streams,
        per_holder=settings.streams_per_agent,
    )
    app.extensions["redis"] = commands
    app.extensions["feed"] = feed
