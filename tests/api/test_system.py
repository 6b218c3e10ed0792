"""Health, figures, documents, request ids, the stream's first words, and the gateway's word."""

import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from flask.testing import FlaskClient

from crm import clock
from crm.api import stream
from crm.models import Message, WorkerHeartbeat
from tests.kit.app import Backend
from tests.kit.fixtures import Make

HEX = re.compile(r"^[0-9a-f]{16}$")
GONE = httpx.ConnectError("refused")


class Assets(HTMLParser):
    """The addresses that a page loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {"src", "href", "spec-url"}
        self.found += [value for name, value in attrs if name in names and value]


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_documents_page_loads_from_here_only(client: FlaskClient, path: str) -> None:
    page = client.get(path)
    assert page.mimetype == "text/html"
    addresses = Assets(page.text).found
    assert len(addresses) >= 2
    for address in (*addresses, "/openapi.json"):
        assert not urlsplit(address).netloc
        with client.get(urljoin(path, address)) as answer:
            assert answer.status_code == 200
            assert len(answer.data) > 100
            assert b"@import" not in answer.data[:100_000] or not address.endswith(".css")
    assert "://" not in page.text.replace("http://www.w3.org", "")


def test_the_figures_are_the_seeds(client: FlaskClient, receive: Make, send_as: Make) -> None:
    for n in range(3):
        receive(phone=f"6011111111{n}")
    client.post("/messages/map", json={"backend_id": send_as()["id"], "whatsapp_id": "A"})
    figures = client.get("/metrics").get_json()
    assert figures["messages_sent_total"] == 1
    assert figures["messages_received_total"] == 3
    assert figures["active_customers"] == 4
    assert type(figures["average_response_time_ms"]) is int
    assert figures["uptime_seconds"] >= 0


@pytest.mark.parametrize("accept", ["text/plain", "text/plain;version=0.0.4, */*;q=0.1",
    "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"])  # fmt: skip
def test_prometheus_gets_its_own_format(
    client: FlaskClient, backend: Backend, send_as: Make, accept: str
) -> None:
    backend.change(Message, send_as()["id"], dispatch="unknown")
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.mimetype == "text/plain"
    assert "crm_messages_sent_total 0.0" in answer.text
    assert 'crm_messages{state="unknown"} 1.0' in answer.text


@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "text/html,*/*;q=0.8"])
def test_everybody_else_gets_json(client: FlaskClient, accept: str) -> None:
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.mimetype == "application/json"


def test_readiness_names_what_is_missing(client: FlaskClient, backend: Backend) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "not ready")
    assert answer.get_json()["worker"]["state"] == "never seen"
    with backend.session() as session:
        session.add(WorkerHeartbeat(name="here", beat_at=clock.now()))
    answer = client.get("/readyz")
    checks = answer.get_json()
    assert (answer.status_code, checks["status"]) == (200, "ready")
    assert {checks[name]["state"] for name in ("database", "redis", "worker")} == {"ok"}
    assert checks["gateway"]["state"] == "never seen"


def test_life_is_told_without_looking_at_anything(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "alive"}


@pytest.mark.parametrize("given", ["a", "x" * 128, "0af7-65.19:16/cd~!", "{%22a%22}"])
def test_a_request_id_is_given_back(client: FlaskClient, given: str) -> None:
    for path in ("/healthz", "/nowhere", "/customers/99"):
        answer = client.get(path, headers={"X-Request-ID": given})
        assert answer.headers.getlist("X-Request-ID") == [given]


@pytest.mark.parametrize("given", ["", "x" * 129, "with space", "caf\xe9", "\x7f", "a\tb"])
def test_a_hostile_request_id_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-ID": given})
    assert HEX.match(answer.headers["X-Request-ID"])


def first_frames(client: FlaskClient, count: int, **request: object) -> list[str]:
    """The first bytes of a stream, which is then closed."""
    answer = client.get("/messages/events/stream", buffered=False, **request)
    frames: Iterator[bytes] = iter(answer.response)
    found = [next(frames).decode() for _ in range(count)]
    answer.close()
    return found


def test_a_stream_opens_at_once_with_the_newest_id(
    client: FlaskClient, backend: Backend, make_customer: Make
) -> None:
    make_customer()
    newest = backend.published[-1][0]
    (opening,) = first_frames(client, 1)
    assert opening.startswith(f"id: {newest}\n\n")
    answer = client.get("/messages/events/stream", buffered=False)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["Cache-Control"] == "no-cache, no-transform"
    assert answer.headers["X-Accel-Buffering"] == "no"
    answer.close()


@pytest.mark.parametrize("way", ["header", "parameter", "header wins"])
def test_a_stream_replays_what_was_missed(
    client: FlaskClient, backend: Backend, receive: Make, way: str
) -> None:
    receive()
    created, received = backend.published
    seen = str(created[0])
    request = {
        "header": {"headers": {"Last-Event-ID": seen}},
        "parameter": {"query_string": {"lastEventId": seen}},
        "header wins": {"headers": {"Last-Event-ID": seen}, "query_string": {"lastEventId": "0"}},
    }[way]
    _, missed = first_frames(client, 2, **request)
    assert missed == f"id: {received[0]}\ndata: {received[1].decode()}\n\n"


@pytest.mark.parametrize("seen", ["999999999", "-1", "x", "9" * 40, "١"])
def test_an_id_that_cannot_be_resumed_from_is_answered_with_one_reset(
    client: FlaskClient, backend: Backend, make_customer: Make, seen: str
) -> None:
    make_customer()
    newest = backend.published[-1][0]
    query = {"lastEventId": seen, "channel": "other"}
    opening, told = first_frames(client, 2, query_string=query)
    assert opening.startswith(f"id: {newest}\n")
    assert told == f'id: {newest}\ndata: {{"type":"reset"}}\n\n'


def test_browsers_that_lost_their_streams_together_come_back_one_by_one(
    client: FlaskClient,
) -> None:
    waits = [int(first_frames(client, 1)[0].split("retry: ")[1]) for _ in range(8)]
    shortest, longest = stream.RETRY_MS
    assert all(shortest <= wait <= longest for wait in waits)
    assert len(set(waits)) > 1


def test_a_stream_on_which_nothing_happens_shows_that_it_lives(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says then is a comment: it changes no id, and no listener hears of it."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.3)
    monkeypatch.setattr(stream, "LOOK_EVERY", 0.05)
    began = time.monotonic()
    opening, first, second = first_frames(client, 3)
    assert opening.startswith("id: ")
    assert first == second == ": still here\n\n"
    assert time.monotonic() - began >= 0.6, "it says so more often than it has to"
