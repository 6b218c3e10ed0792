"""Every setting of every process, read from the environment once and in one place.

`load_settings()` is the only reader of the environment in the project. It returns a frozen
`Settings`, or raises `SettingsError` with one sentence that names the variable and the way out.
"""

import logging
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

from environs import Env, EnvError

from config.addresses import normalize_database_url
from config.checks import find_problem
from config.pace import PaceSettings, read_pace

PROJECT_ROOT = Path(__file__).resolve().parent.parent
FRONTEND_ORIGINS = ["http://localhost:3000", "http://127.0.0.1:3000"]
STREAM_HEADROOM = 24
"""Threads of a web process that streams may never take, so that the API stays answerable."""


class AppEnv(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TESTING = "testing"


class GatewayDriver(StrEnum):
    SIMULATOR = "simulator"
    WEB = "web"
    CLOUD = "cloud"


class SettingsError(SystemExit):
    """A setting is missing or wrong. Leaving it uncaught ends the process with its sentence."""


Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """What the gateway takes of customers' files, and for how long it keeps it."""

    max_bytes: int
    keep_days: int
    """Days after which a file is deleted; 0: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """What the driver `cloud` needs of Meta; empty where another driver is chosen."""

    token: str
    phone_id: str
    app_secret: str
    verify_token: str
    business_id: str
    """Whose templates may be sent; empty: none are listed."""
    graph_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says, checked. Times are seconds, URLs have no trailing slash."""

    app_env: AppEnv
    debug: bool
    log_level: int
    host: str
    port: int | None
    """Port of the process being started; None means that process's usual one."""
    proxy_hops: int
    var_dir: Path
    pages_dir: Path
    """Where the build of the page is, or will be."""
    database_url: str
    gateway_database_url: str
    redis_url: str | None
    """None: the embedded server under `var_dir`; see `config.redis.redis_url`."""
    gateway_url: str
    backend_url: str
    internal_tokens: tuple[str, ...]
    """The first is sent, all are accepted. Empty: internal endpoints answer loopback only."""
    secret_key: str
    cors_origins: tuple[str, ...]
    auth_required: bool
    rate_limit: str
    """Requests of each agent and of each token, where sign-in is required: `600/minute`."""
    streams_per_agent: int
    gateway_driver: GatewayDriver
    gateway_driver_is_chosen: bool
    cloud: CloudSettings
    simulator_enabled: bool
    """Whether the simulator's page and control answer."""
    simulator_people: bool
    """Whether the pretend customers write by themselves."""
    pace: PaceSettings
    """Kept by drivers of real numbers; the simulator is never held back."""
    read_receipts: bool
    """Whether customers learn that an agent has read what they wrote."""
    probe_interval: float
    """Seconds between two looks at whether the connection to WhatsApp lives."""
    media: MediaSettings
    flower_accounts: tuple[str, ...]
    """Who may look at Flower, each as `name:password`."""
    web_concurrency: int
    web_threads: int
    web_worker_class: str
    send_retry_base: float
    send_lease: float
    retention_days: int
    """Days after which messages are erased; 0: never."""
    audit_days: int
    """Days after which entries of the audit are erased; 0: never."""
    started_at: float
    """Unix time at which this process's master started."""

    @property
    def is_production(self) -> bool:
        return self.app_env is AppEnv.PRODUCTION

    @property
    def uses_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def max_streams(self) -> int:
        """Open event streams that one web process allows."""
        return max(1, self.web_threads - STREAM_HEADROOM)


class _PresentEnv(Env):
    """An empty variable means unset: platforms and compose files pass empty strings along."""

    def _get_value(self, env_key: str, default: Any) -> Any:
        return os.environ.get(env_key, "").strip() or default


def load_settings(role: Literal["backend", "gateway"] = "backend") -> Settings:
    """Read the environment for one role. Raises `SettingsError` where it cannot be used."""
    try:
        settings = _read(_PresentEnv())
    except EnvError as error:
        raise SettingsError(f"Cannot start: {error}") from error
    problem = find_problem(settings, role)
    if problem:
        raise SettingsError(f"Cannot start: {problem}")
    return settings


def _read(env: Env) -> Settings:
    app_env = _choice(env, "APP_ENV", AppEnv.DEVELOPMENT)
    production = app_env is AppEnv.PRODUCTION
    var_dir = _folder(env, "VAR_DIR", PROJECT_ROOT / "var")
    return Settings(
        app_env=app_env,
        debug=env.bool("FLASK_DEBUG", False),
        log_level=env.log_level("LOG_LEVEL", logging.INFO),
        host=env.str("HOST", "0.0.0.0" if production else "127.0.0.1"),
        port=env.int("PORT", None),
        proxy_hops=env.int("PROXY_HOPS", 0),
        var_dir=var_dir,
        pages_dir=_folder(env, "PAGES_DIR", PROJECT_ROOT / "frontend/out"),
        database_url=_database(env, "DATABASE_URL", var_dir / "crm.sqlite3"),
        gateway_database_url=_database(env, "GATEWAY_DATABASE_URL", var_dir / "gateway.sqlite3"),
        redis_url=env.str("REDIS_URL", None),
        gateway_url=env.str("GATEWAY_URL", "http://127.0.0.1:3002").rstrip("/"),
        backend_url=env.str("BACKEND_URL", "http://127.0.0.1:8000").rstrip("/"),
        internal_tokens=_values(env, "INTERNAL_TOKEN", []),
        secret_key=env.str("SECRET_KEY", "") or ("" if production else _kept_secret(var_dir)),
        cors_origins=_values(env, "CORS_ORIGINS", FRONTEND_ORIGINS),
        auth_required=production or env.bool("AUTH_REQUIRED", False),
        rate_limit=env.str("RATE_LIMIT", "600/minute"),
        streams_per_agent=env.int("STREAMS_PER_AGENT", 10),
        gateway_driver=_choice(env, "GATEWAY_DRIVER", GatewayDriver.SIMULATOR),
        gateway_driver_is_chosen=bool(env.str("GATEWAY_DRIVER", "")),
        cloud=_read_cloud(env),
        simulator_enabled=env.bool("SIMULATOR_PAGE", not production),
        simulator_people=env.bool("SIMULATOR_PEOPLE", app_env is not AppEnv.TESTING),
        pace=read_pace(env),
        read_receipts=env.bool("READ_RECEIPTS", False),
        probe_interval=env.float("PROBE_INTERVAL", 30.0),
        media=_read_media(env),
        flower_accounts=_values(env, "FLOWER_BASIC_AUTH", []),
        **_read_web(env),
        send_retry_base=env.float("SEND_RETRY_BASE", 2.0),
        send_lease=env.float("SEND_LEASE", 15.0),
        retention_days=env.int("RETENTION_DAYS", 0),
        audit_days=env.int("AUDIT_DAYS", 365),
        started_at=env.float("WEB_STARTED_AT", time.time()),
    )


def _choice(env: Env, name: str, default: Choice) -> Choice:
    """One of the values of an enum."""
    chosen: Choice = env.enum(name, default=default, enum=type(default), by_value=True)
    return chosen


def _read_media(env: Env) -> MediaSettings:
    return MediaSettings(
        max_bytes=env.int("MEDIA_MAX_BYTES", 25_000_000),
        keep_days=env.int("MEDIA_KEEP_DAYS", 90),
    )


def _read_web(env: Env) -> dict[str, Any]:
    return {
        "web_concurrency": env.int("WEB_CONCURRENCY", 2),
        "web_threads": env.int("WEB_THREADS", 128),
        "web_worker_class": env.str("WEB_WORKER_CLASS", "gthread"),
    }


def _read_cloud(env: Env) -> CloudSettings:
    return CloudSettings(
        token=env.str("WHATSAPP_TOKEN", ""),
        phone_id=env.str("WHATSAPP_PHONE_ID", ""),
        app_secret=env.str("WHATSAPP_APP_SECRET", ""),
        verify_token=env.str("WHATSAPP_VERIFY_TOKEN", ""),
        business_id=env.str("WHATSAPP_BUSINESS_ID", ""),
        graph_url=env.str("GRAPH_URL", "https://graph.facebook.com").rstrip("/"),
    )


def _values(env: Env, name: str, default: list[str]) -> tuple[str, ...]:
    """What stands between the commas; an empty one, which would match nothing given, is none."""
    return tuple(value.strip() for value in env.list(name, default) if value.strip())


def _folder(env: Env, name: str, default: Path) -> Path:
    return Path(env.str(name, str(default))).expanduser().resolve()


def _database(env: Env, name: str, sqlite_file: Path) -> str:
    return normalize_database_url(env.str(name, f"sqlite:///{sqlite_file}"))


def _kept_secret(var_dir: Path) -> str:
    """The development secret: made once, kept under `var/`, the same for every process."""
    kept = var_dir / "secret_key"
    if not kept.exists():
        var_dir.mkdir(parents=True, exist_ok=True)
        made = var_dir / f"secret_key.{os.getpid()}"
        made.touch(mode=0o600)
        made.write_text(secrets.token_urlsafe(48))
        # A hard link appears whole or not at all, so processes started together agree on one.
        with suppress(FileExistsError):
            kept.hardlink_to(made)
        made.unlink()
    return kept.read_text()
