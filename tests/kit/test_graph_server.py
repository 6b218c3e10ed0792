"""The pretend Graph server as a process of its own, spoken to as the soak does."""

import hashlib
import hmac
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from config.settings import PROJECT_ROOT
from tests.kit.graph_account import PHONE_ID, SECRET, TOKEN
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
CUSTOMER = "60123456789"


@pytest.fixture
def webhook():
    """Takes signed updates; yields its URL and what it took."""
    taken: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
            signed = self.headers["X-Hub-Signature-256"] == f"sha256={digest}"
            if signed:
                taken.extend(
                    change["value"]
                    for entry in json.loads(raw)["entry"]
                    for change in entry["changes"]
                )
            self.send_response(200 if signed else 403)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/webhook", taken
    server.shutdown()
    server.server_close()


@pytest.fixture
def server(tmp_path, webhook):
    port = free_port()
    program = Program(
        [
            *(sys.executable, "-m", "tests.kit.graph_server", "--port", str(port)),
            *("--log", tmp_path / "graph.jsonl", "--webhook", webhook[0]),
        ],
        environment={"PATH": os.defpath},
        log=tmp_path / "graph.out",
        directory=PROJECT_ROOT,
    )
    program.url = f"http://127.0.0.1:{port}"
    program.start()
    eventually(lambda: httpx.get(f"{program.url}/log").is_success)
    yield program
    program.end()


def send(server, text: str) -> httpx.Response:
    body = {"to": CUSTOMER, "type": "text", "text": {"body": text}, "messaging_product": "whatsapp"}
    return httpx.post(
        f"{server.url}/v25.0/{PHONE_ID}/messages",
        json=body | {"biz_opaque_callback_data": "backend:1:1"},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=10,
    )


def statuses(taken: list[dict]) -> list[str]:
    return [status["status"] for value in taken for status in value.get("statuses", [])]


def test_it_sends_logs_and_brings_signed_statuses(server, webhook):
    answer = send(server, "hello").json()
    (entry,) = httpx.get(f"{server.url}/log").json()
    assert answer["messages"][0]["id"] == entry["wamid"]
    assert (entry["to"], entry["text"], entry["tracker"]) == (CUSTOMER, "hello", "backend:1:1")
    eventually(lambda: statuses(webhook[1]) == ["sent", "delivered", "read"])


def test_its_log_survives_a_kill_and_what_it_owes_is_brought_again(server, webhook):
    httpx.post(f"{server.url}/control", json={"webhooks_held": True})
    send(server, "hello")
    server.kill()
    server.start()
    (entry,) = eventually(lambda: httpx.get(f"{server.url}/log").json())
    assert entry["text"] == "hello"
    eventually(lambda: "read" in statuses(webhook[1]))


def test_it_misbehaves_on_order_and_has_customers_write(server, webhook):
    httpx.post(f"{server.url}/control", json={"codes": [131047], "lost_answers": 1})
    refused = send(server, "one")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, 131047)
    with pytest.raises(httpx.RemoteProtocolError):
        send(server, "two")
    assert [entry["text"] for entry in httpx.get(f"{server.url}/log").json()] == ["two"]
    httpx.post(f"{server.url}/customer", json={"phone": CUSTOMER, "text": "hi", "name": "Ann"})
    eventually(lambda: any("messages" in value for value in webhook[1]))
