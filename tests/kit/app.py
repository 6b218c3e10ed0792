"""The backend in this process on a real, migrated database, its two seams replaced by recorders.

The seams are what leaves the process: jobs and events (`hints`), and calls of the gateway.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import flask_migrate
import httpx
import orjson
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.orm import Session

from config.addresses import normalize_database_url
from config.settings import AppEnv, load_settings
from crm.api.limits import limiter
from crm.api.unchanged import unchanged
from crm.extensions import Base, db
from crm.factory import PREFIX, create_app
from crm.gateway_client import gateway
from crm.hints import hints
from crm.jobs import Job
from crm.models import Counter, CounterName, Event, GatewayLink

FRESH_LINK = {"refusals": 0, "open_until": None, "reason": None, "status": None, "checked_at": None}
KEPT = ("counters", "gateway_link")
"""Tables whose rows the migration inserts: reset, not emptied."""


class GatewayStandIn:
    """Answers the backend's calls of the gateway: `answers` maps a path to (status, JSON)."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: dict[str, tuple[int, Any] | httpx.Response] = {}
        self.fault: Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.fault is not None:
            raise self.fault
        answer = self.answers.get(request.url.path, (404, {"detail": "no such message"}))
        if isinstance(answer, httpx.Response):
            return answer
        return httpx.Response(answer[0], json=answer[1])

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]


class ReadingClient(FlaskClient):
    """Reads every answer to its end, as a server does; a stream is asked for unbuffered."""

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> Any:
        return super().open(*args, buffered=buffered, **kwargs)


class Backend:
    """One app, what left it, and a way into its rows."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.gateway = GatewayStandIn()
        self._jobs: list[Job] = []
        self._published: list[tuple[int, bytes]] = []
        self.rebind()

    def rebind(self) -> None:
        """Take the seams, which are the process's, for this app."""
        hints.send_jobs, hints.publish = self._jobs.extend, self._published.extend
        transport = httpx.MockTransport(self.gateway)
        gateway.init_app(base_url="http://gateway.test", token=None, transport=transport)

    def count_patiently(self) -> None:
        """Wait longer for Redis than a product should: the machine that tests has much to do."""
        pool = limiter.storage.get_connection().connection_pool  # type: ignore[attr-defined]
        pool.connection_kwargs.update(socket_timeout=5, socket_connect_timeout=5)

    def client(self) -> FlaskClient:
        self.app.test_client_class = ReadingClient
        return self.app.test_client()

    @property
    def jobs(self) -> list[Job]:
        """The jobs sent so far."""
        assert hints.flush(10)
        return self._jobs

    @property
    def published(self) -> list[tuple[int, bytes]]:
        """The events published so far, as (id, JSON)."""
        assert hints.flush(10)
        return self._published

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session of the test's own, committed at the end."""
        with self.app.app_context():
            session = db.session()
            yield session
            session.commit()

    def events(self) -> list[dict[str, Any]]:
        """The whole event log, oldest first."""
        with self.session() as session:
            return [orjson.loads(row) for row in session.scalars(_DATA)]

    def event_types(self) -> list[str]:
        return [event["type"] for event in self.events()]

    def counts(self) -> dict[str, int]:
        """Rows of every table, and the totals: equal before and after what changes nothing."""
        with self.session() as session:
            rows = {
                table.name: session.scalar(select(func.count()).select_from(table)) or 0
                for table in Base.metadata.sorted_tables
            }
            totals = session.execute(select(Counter.name, Counter.value)).all()
        return rows | {f"total {name}": value for name, value in totals}

    def change(self, model: type[Base], row_id: int, **values: Any) -> None:
        """Set columns of one row, past every rule."""
        with self.session() as session:
            session.execute(update(model).where(model.id == row_id).values(**values))  # type: ignore[attr-defined]

    def insert(self, model: type[Base], **values: Any) -> None:
        """Add a row with an id of the test's choice; later rows get higher ones."""
        with self.session() as session:
            session.execute(insert(model).values(**values))
            if session.get_bind().dialect.name == "postgresql":
                table = model.__tablename__
                sequence = f"pg_get_serial_sequence('{table}', 'id')"
                session.execute(text(f"SELECT setval({sequence}, max(id)) FROM {table}"))

    def forget(self) -> None:
        """As if nothing had happened; ids go on."""
        assert hints.flush(10)
        self._jobs.clear()
        self._published.clear()
        self.gateway.forget()
        unchanged.forget()
        self.app.extensions["asked_again"].forget()
        with self.session() as session:
            for table in reversed(Base.metadata.sorted_tables):
                if table.name not in KEPT:
                    session.execute(table.delete())
            own = Counter.name != CounterName.DATABASE_ID
            session.execute(update(Counter).where(own).values(value=0))
            session.execute(update(GatewayLink).values(**FRESH_LINK))
        redis = self.app.extensions["redis"]
        for kind in ("limits", "presence"):
            for key in redis.scan_iter(f"{PREFIX}{kind}*"):
                redis.delete(key)

    def close(self) -> None:
        """Give back every connection."""
        assert hints.flush(10)
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self.app.extensions["redis"].close()


_DATA = select(Event.data).order_by(Event.id)


@contextmanager
def running_backend(
    database_url: str, redis_url: str, settings: Mapping[str, Any] | None = None
) -> Iterator[Backend]:
    """A migrated backend on this database; `settings` are fields of `Settings`."""
    chosen = dataclasses.replace(
        load_settings(),
        app_env=AppEnv.TESTING,
        database_url=normalize_database_url(database_url),
        redis_url=redis_url,
        **(settings or {}),
    )
    app = create_app(chosen)
    with app.app_context():
        flask_migrate.upgrade()
    backend = Backend(app)
    try:
        yield backend
    finally:
        backend.close()


@contextmanager
def shorter_patience(backend: Backend) -> Iterator[None]:
    """Database locks are waited for 50 ms instead of seconds."""
    statement = {
        "sqlite": "PRAGMA busy_timeout = 50",
        "postgresql": "SET lock_timeout = '50ms'",
    }
    with backend.app.app_context():
        engine = db.engine

    def hurry(connection: Any, *_: object) -> None:
        connection.execute(statement[engine.dialect.name])
        connection.commit()

    with listening(engine, "checkout", hurry):
        yield
    engine.dispose()


@contextmanager
def listening(target: Any, name: str, listener: Callable[..., None]) -> Iterator[None]:
    """A SQLAlchemy event listener for a while."""
    event.listen(target, name, listener)
    try:
        yield
    finally:
        event.remove(target, name, listener)
