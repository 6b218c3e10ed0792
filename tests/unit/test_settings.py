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
