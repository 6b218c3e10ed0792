"""A line of Meta's Cloud API, from the pretend Graph server to the agent's page, and back."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import StackFactory
from tests.kit.event_reader import EventReader
from tests.kit.graph_server import GraphServer
from tests.kit.stack import Stack
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
PHONE = "60123456789"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
HELLO = {
    "name": "hello", "language": "en_US", "category": "UTILITY", "status": "APPROVED",
    "components": [{"type": "BODY", "text": "Hello {{1}}, it is about {{2}}."}],
}  # fmt: skip
TEMPLATE = {"name": "hello", "language": "en_US", "params": ["Ann", "order 17"]}
UNDELIVERABLE = {"errors": [{"code": 131026, "title": "Message undeliverable"}]}


@pytest.fixture
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GraphServer]:
    server = GraphServer(tmp_path_factory.mktemp("graph") / "graph.jsonl")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def stack(make_stack: StackFactory, graph: GraphServer) -> Stack:
    stack = make_stack(settings=graph.environment)
    graph.courier.webhook = stack.url("gateway", "/webhook")
    stack.start()
    eventually(lambda: httpx.get(stack.url("gateway", "/status")).json()["ready"], timeout=30)
    return stack


@pytest.fixture
def web(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url("web"), timeout=30) as client:
        yield client


def write(web: httpx.Client, customer_id: int, **body: Any) -> dict[str, Any]:
    answer = web.post("/messages/send", json={"customer_id": customer_id, **body})
    assert answer.status_code == 201, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


def newest(web: httpx.Client, customer_id: int) -> dict[str, Any]:
    message: dict[str, Any] = web.get(f"/messages/{customer_id}").json()[-1]
    return message


def test_a_customer_writes_and_is_answered(
    stack: Stack, graph: GraphServer, web: httpx.Client
) -> None:
    with EventReader(stack.url("web", "/messages/events/stream")) as stream:
        graph.customer_writes(PHONE, "Is it there yet?", name="Ann")
        stream.wait_for("inbound_message", timeout=30)
        (customer,) = web.get("/customers/summary").json()
        assert (customer["name"], customer["last_message"]) == ("Ann", "Is it there yet?")
        assert customer["window_closes_at"] > customer["last_timestamp"]
        write(web, customer["id"], content="It left today.")
        stream.wait_for("message_seen", timeout=40)
        states = [e["message"]["status"] for e in stream.events if e["type"] == "message_status"]
        # WhatsApp may prove it sent before it has answered us.
        assert [state for state in states if state != "accepted"] == [
            "sending", "sent", "delivered", "read",
        ]  # fmt: skip
    (received,) = graph.account.entries()
    assert (received["to"], received["text"]) == (PHONE, "It left today.")


def test_a_picture_reaches_the_agent_through_the_backend(
    graph: GraphServer, web: httpx.Client
) -> None:
    graph.account.media["4711"] = ("image/png", PNG)
    picture = {"id": "4711", "mime_type": "image/png", "caption": "Broken!"}
    graph.customer_sends(PHONE, {"type": "image", "image": picture})
    (customer,) = eventually(lambda: web.get("/customers/summary").json(), timeout=30)
    eventually(lambda: newest(web, customer["id"])["media"]["state"] == "stored", timeout=30)
    message = newest(web, customer["id"])
    assert (message["content"], message["media"]["kind"]) == ("Broken!", "image")
    file = web.get(message["media"]["url"])
    assert (file.content, file.headers["Content-Type"]) == (PNG, "image/png")
    part = web.get(message["media"]["url"], headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, PNG[:4])


def test_templates_are_listed_and_sent(graph: GraphServer, web: httpx.Client) -> None:
    graph.account.templates = [HELLO]
    (listed,) = web.get("/templates").json()
    assert (listed["name"], listed["params"]) == ("hello", 2)
    customer = web.post("/customers/", json={"name": "Ann", "phone": PHONE}).json()
    write(web, customer["id"], template=TEMPLATE, content="Hello Ann, it is about order 17.")
    (received,) = eventually(graph.account.entries, timeout=30)
    assert received["template"]["name"] == "hello"
    places = received["template"]["components"][0]["parameters"]
    assert [place["text"] for place in places] == ["Ann", "order 17"]


def test_what_whatsapp_gives_up_on_says_why_and_goes_out_again_on_order(
    graph: GraphServer, web: httpx.Client
) -> None:
    graph.misbehave(delivers=False)
    customer = web.post("/customers/", json={"name": "Ann", "phone": PHONE}).json()
    sent = write(web, customer["id"], content="Hello")
    eventually(lambda: newest(web, customer["id"])["status"] == "sent", timeout=30)
    graph.prove(graph.account.entries()[0], "failed", **UNDELIVERABLE)
    eventually(lambda: newest(web, customer["id"])["status"] == "failed", timeout=30)
    assert newest(web, customer["id"])["error"]
    graph.misbehave(delivers=True)
    assert web.post(f"/messages/{sent['id']}/retry", json={}).status_code == 200
    eventually(lambda: newest(web, customer["id"])["status"] == "read", timeout=30)
    assert len(graph.account.entries()) == 2


def test_a_line_that_refuses_us_is_told_with_what_to_do(
    graph: GraphServer, web: httpx.Client, stack: Stack
) -> None:
    with EventReader(stack.url("web", "/messages/events/stream")) as stream:
        graph.misbehave(token_refused=True)
        customer = web.post("/customers/", json={"name": "Ann", "phone": PHONE}).json()
        write(web, customer["id"], content="Hello")
        eventually(
            lambda: [
                e for e in stream.events
                if e["type"] == "gateway_status"
                and "WHATSAPP_TOKEN" in e["gateway"].get("advice", "")
            ],
            timeout=30,
        )  # fmt: skip
    assert web.get("/gateway/status").json()["state"] == "logged_out"
