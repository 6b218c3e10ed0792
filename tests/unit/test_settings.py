"""Settings: what is read, what is assumed, and each refusal with its way out."""

import pytest

from config.settings import AppEnv, Settings, SettingsError, load_settings

SECRET = "s" * 32
PRODUCTION = {
    "APP_ENV": "production",
    "INTERNAL_TOKEN": SECRET,
    "SECRET_KEY": SECRET,
    "DATABASE_URL": "postgresql://db.example/crm",
}


def read(monkeypatch: pytest.MonkeyPatch, role: str = "backend", **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings(role)  # type: ignore[arg-type]


def test_nothing_set_is_a_developers_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    assert settings.app_env is AppEnv.DEVELOPMENT
    assert (settings.host, settings.port, settings.auth_required) == ("127.0.0.1", None, False)
    assert settings.database_url == f"sqlite:///{settings.var_dir}/crm.sqlite3"
    assert settings.cors_origins == ("http://localhost:3000", "http://127.0.0.1:3000")
    assert (settings.internal_tokens, settings.redis_url) == ((), None)
    assert settings.max_streams == 104


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    names = "APP_ENV DATABASE_URL REDIS_URL INTERNAL_TOKEN CORS_ORIGINS PORT AUTH_REQUIRED HOST"
    empty = read(monkeypatch, **dict.fromkeys(names.split(), " "))
    for name in names.split():
        monkeypatch.delenv(name)
    unset = load_settings()
    differing = [
        name for name in Settings.__slots__ if getattr(empty, name) != getattr(unset, name)
    ]
    assert differing in ([], ["started_at"])


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_spelled_as_psycopg_3(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    settings = read(monkeypatch, DATABASE_URL=f"{scheme}://u:p@h/d?sslmode=require")
    assert settings.database_url == "postgresql+psycopg://u:p@h/d?sslmode=require"


def test_two_tokens_are_both_kept_and_the_first_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, INTERNAL_TOKEN="new, old,", CORS_ORIGINS="http://a, http://b")
    assert settings.internal_tokens == ("new", "old")
    assert settings.cors_origins == ("http://a", "http://b")


def test_production_always_wants_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, **PRODUCTION, AUTH_REQUIRED="false")
    assert settings.auth_required
    assert settings.host == "0.0.0.0"
    assert not settings.simulator_enabled


def test_the_pace_of_a_number_is_careful_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace = read(monkeypatch).pace
    assert (pace.chat_gap, pace.per_minute, pace.fresh_days, pace.fresh_per_day) == (2, 20, 7, 50)
    quiet = pace.quiet_hours
    assert quiet is not None
    assert (str(quiet.starts), str(quiet.ends), quiet.zone.key) == ("22:00:00", "08:00:00", "UTC")
    assert not load_settings().read_receipts
    assert read(monkeypatch, QUIET_HOURS="off").pace.quiet_hours is None
    local = read(monkeypatch, QUIET_HOURS="13:30-15:00", TIME_ZONE="Asia/Kuala_Lumpur")
    assert local.pace.quiet_hours is not None
    assert local.pace.quiet_hours.zone.key == "Asia/Kuala_Lumpur"


def test_the_development_secret_is_made_once_and_is_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("secret") / "var"
    first = read(monkeypatch, VAR_DIR=str(folder))
    assert first.secret_key == load_settings().secret_key
    assert len(first.secret_key) >= 32
    (kept,) = folder.iterdir()
    assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PORT": "0"}, "PORT=0 is too small, it must be at least 1."),
        ({"PORT": "65536"}, "PORT=65536 is no port, the highest is 65535."),
        ({"PORT": "http"}, "PORT"),
        ({"PROXY_HOPS": "-1"}, "PROXY_HOPS=-1 is too small, it must be at least 0."),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY=0 is too small, it must be at least 1."),
        ({"WEB_THREADS": "1"}, "WEB_THREADS=1 is too small, it must be at least 2."),
        ({"SEND_LEASE": "0.5"}, "SEND_LEASE=0.5 is too small, it must be at least 1."),
        ({"SEND_RETRY_BASE": "0"}, "SEND_RETRY_BASE must be more than 0 and at most 3600"),
        ({"STREAMS_PER_AGENT": "0"}, "STREAMS_PER_AGENT=0 is too small, it must be at least 1."),
        ({"RATE_LIMIT": "many"}, "RATE_LIMIT=many is no rate, write it like 600/minute."),
        ({"RATE_LIMIT": "0/minute"}, "RATE_LIMIT=0/minute is no rate"),
        ({"SEND_RETRY_BASE": "nan"}, "SEND_RETRY_BASE"),
        ({"PROBE_INTERVAL": "0"}, "PROBE_INTERVAL must be more than 0 and at most 3600 seconds."),
        ({"MEDIA_MAX_BYTES": "0"}, "MEDIA_MAX_BYTES=0 is too small, it must be at least 1."),
        ({"MEDIA_KEEP_DAYS": "-1"}, "MEDIA_KEEP_DAYS=-1 is too small, it must be at least 0."),
        ({"AUDIT_DAYS": "-1"}, "AUDIT_DAYS=-1 is too small, it must be at least 0."),
        ({"AUDIT_DAYS": "99999999"}, "AUDIT_DAYS=99999999 is too large; 0 keeps everything"),
        ({"RETENTION_DAYS": "99999999"}, "RETENTION_DAYS=99999999 is too large; 0 keeps"),
        ({"PACE_PER_MINUTE": "0"}, "PACE_PER_MINUTE=0 must be at least 1 and at most 1000."),
        ({"PACE_CHAT_GAP": "nan"}, "PACE_CHAT_GAP"),
        ({"PACE_FRESH_DAYS": "-1"}, "PACE_FRESH_DAYS=-1 must be at least 0 and at most 60."),
        ({"PACE_FRESH_PER_DAY": "0"}, "PACE_FRESH_PER_DAY=0 must be at least 1"),
        ({"QUIET_HOURS": "night"}, "QUIET_HOURS=night is no span, write it like 22:00-08:00"),
        ({"QUIET_HOURS": "22:00-24:00"}, "QUIET_HOURS=22:00-24:00 is no span"),
        ({"QUIET_HOURS": "8:00-08:00"}, "QUIET_HOURS=8:00-08:00 has no length"),
        ({"TIME_ZONE": "Moon/Base"}, "TIME_ZONE=Moon/Base is no time zone"),
        ({"TIME_ZONE": "../../etc/passwd"}, "TIME_ZONE=../../etc/passwd is no time zone"),
        ({"TIME_ZONE": "Europe"}, "TIME_ZONE=Europe is no time zone"),
        ({"READ_RECEIPTS": "perhaps"}, "READ_RECEIPTS"),
        ({"WEB_WORKER_CLASS": "sync"}, "WEB_WORKER_CLASS=sync is neither gthread nor gevent."),
        ({"WEB_WORKER_CLASS": "gevent"}, "WEB_WORKER_CLASS=gevent needs PostgreSQL"),
        ({"HOST": "0.0.0.0"}, "HOST=0.0.0.0 would open an inbox without sign-in"),
        ({"APP_ENV": "staging"}, "APP_ENV"),
        ({"GATEWAY_URL": "gateway:3002"}, "GATEWAY_URL=gateway:3002 is no address"),
        ({"CORS_ORIGINS": "*"}, "CORS_ORIGINS has *, which is no exact origin"),
        ({"CORS_ORIGINS": "https://*.a.com"}, "CORS_ORIGINS has https://*.a.com"),
        ({"CORS_ORIGINS": "https://a.com/"}, "CORS_ORIGINS has https://a.com/"),
        ({"GATEWAY_DRIVER": "pigeon"}, "GATEWAY_DRIVER"),
        ({"AUTH_REQUIRED": "perhaps"}, "AUTH_REQUIRED"),
        (PRODUCTION | {"FLASK_DEBUG": "1"}, "FLASK_DEBUG must be off in production."),
        (PRODUCTION | {"INTERNAL_TOKEN": ""}, "INTERNAL_TOKEN is missing in production; make one"),
        (PRODUCTION | {"INTERNAL_TOKEN": f"{SECRET},x"}, "INTERNAL_TOKEN is shorter than 32"),
        (PRODUCTION | {"SECRET_KEY": ""}, "SECRET_KEY is missing in production; make one with"),
        (PRODUCTION | {"SECRET_KEY": "x"}, "SECRET_KEY is shorter than 32 characters"),
        *(
            (PRODUCTION | {"DATABASE_URL": "", other: url}, f"DATABASE_URL is SQLite while {other}")
            for other, url in (
                ("REDIS_URL", "redis://cache.example:6379"),
                ("GATEWAY_URL", "http://gateway.example"),
                ("BACKEND_URL", "https://crm.example"),
            )
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_setting_that_cannot_be_used_ends_the_process_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as refusal:
        read(monkeypatch, **variables)
    assert str(refusal.value).startswith("Cannot start: ")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_gateway_wants_a_database_that_lasts_and_no_secret_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = {"APP_ENV": "production", "INTERNAL_TOKEN": SECRET, "GATEWAY_DRIVER": "simulator"}
    assert read(monkeypatch, "gateway", **alone).is_production
    with pytest.raises(SettingsError, match="GATEWAY_DATABASE_URL is SQLite while BACKEND_URL"):
        read(monkeypatch, "gateway", BACKEND_URL="https://crm.example")


CLOUD = {
    "GATEWAY_DRIVER": "cloud",
    "WHATSAPP_TOKEN": "EAAtoken",
    "WHATSAPP_PHONE_ID": "106540352242922",
    "WHATSAPP_APP_SECRET": "secret",
    "WHATSAPP_VERIFY_TOKEN": "verify-me",
}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        *(({name: ""}, f"{name} is missing, GATEWAY_DRIVER=cloud needs it") for name in CLOUD
          if name != "GATEWAY_DRIVER"),
        ({"WHATSAPP_PHONE_ID": "+1 555-078-3881"}, "WHATSAPP_PHONE_ID=+1 555-078-3881 is no id"),
        ({"WHATSAPP_BUSINESS_ID": "mine"}, "WHATSAPP_BUSINESS_ID=mine is no id"),
        ({"WHATSAPP_TOKEN": "EAA token"}, "WHATSAPP_TOKEN has a character"),
        ({"WHATSAPP_APP_SECRET": "“secret”"}, "WHATSAPP_APP_SECRET has a character"),
        ({"GRAPH_URL": "http://graph.example"}, "GRAPH_URL=http://graph.example would show"),
    ],
)  # fmt: skip
def test_the_cloud_driver_s_settings_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, change: dict[str, str], sentence: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        read(monkeypatch, "gateway", **CLOUD | change)
    assert str(raised.value).startswith(f"Cannot start: {sentence}")
    assert "\n" not in str(raised.value)


def test_only_the_gateway_needs_the_cloud_driver_s_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert read(monkeypatch, GATEWAY_DRIVER="cloud").cloud.token == ""
    settings = read(monkeypatch, "gateway", **CLOUD, GRAPH_URL="http://127.0.0.1:4000/")
    assert settings.cloud.graph_url == "http://127.0.0.1:4000"
