"""The Graph API through pywa's client, with the gateway's errors."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
from pywa.api import GraphAPI
from pywa.errors import WhatsAppError

from config.settings import Settings
from gateway.drivers.base import TemporaryError, UnknownOutcomeError
from gateway.drivers.cloud.faults import CONNECT_DELAY, from_graph, from_transport

T = TypeVar("T")
VERSION = 25.0
"""Pinned: Meta changes the shapes of answers from version to version, and keeps each for years."""
TIMEOUT = httpx.Timeout(15.0, connect=3.0, pool=3.0)
LIMITS = httpx.Limits(max_connections=32, max_keepalive_connections=16, keepalive_expiry=30.0)
BROKEN_ANSWER = (ValueError, KeyError, TypeError, AttributeError)
"""What pywa raises over an answer that has not the shape it should have."""


class Graph:
    """Opened in the worker, never in gunicorn's master; may be opened anew at any time."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: httpx.Client | None = None
        self._retired: list[httpx.Client] = []
        self._api: GraphAPI | None = None
        self._idle = threading.Condition()
        self._calls = 0

    def open(self) -> None:
        """Start over with new connections; calls under way keep theirs."""
        # Neither a proxy nor a .netrc of the environment may see or replace our token.
        session = httpx.Client(timeout=TIMEOUT, limits=LIMITS, trust_env=False)
        api = GraphAPI(self._settings.cloud.token, session, VERSION)
        # pywa always talks to graph.facebook.com; the session's address may be changed after it.
        session.base_url = f"{self._settings.cloud.graph_url}/v{VERSION:g}.0"
        with self._idle:
            if self._session is not None:
                self._retired.append(self._session)
            self._session, self._api = session, api

    def close(self, timeout: float) -> None:
        """Give calls under way that many seconds, so that their outcome is known."""
        with self._idle:
            self._idle.wait_for(lambda: self._calls == 0, timeout)
            self._api = None
            retired = [*self._retired, *([self._session] if self._session else [])]
            self._retired, self._session = [], None
        for session in retired:
            session.close()

    def call(self, request: Callable[[GraphAPI], T]) -> T:
        """Do something that must not be repeated blindly. Raises a DriverError."""
        with self._counted() as api:
            try:
                return request(api)
            except WhatsAppError as error:
                raise from_graph(error) from None
            except httpx.HTTPError as error:
                raise from_transport(error) from None
            except BROKEN_ANSWER as error:
                raise UnknownOutcomeError("a broken answer from WhatsApp") from error

    def ask(self, request: Callable[[GraphAPI], T]) -> T:
        """Ask something, which may be asked again. Raises TemporaryError or PermanentError."""
        try:
            return self.call(request)
        except UnknownOutcomeError as error:
            raise TemporaryError(str(error), delay=CONNECT_DELAY) from error

    @contextmanager
    def session(self) -> Iterator[httpx.Client]:
        """The connections themselves, with our token in each request."""
        session = self._session
        with self._counted():
            assert session is not None
            yield session

    @contextmanager
    def _counted(self) -> Iterator[GraphAPI]:
        with self._idle:
            if self._api is None:
                raise TemporaryError("not connected", delay=CONNECT_DELAY)
            self._calls += 1
            api = self._api
        try:
            yield api
        finally:
            with self._idle:
                self._calls -= 1
                if self._calls == 0:
                    while self._retired:
                        self._retired.pop().close()
                self._idle.notify_all()
