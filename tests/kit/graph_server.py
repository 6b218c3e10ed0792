"""A pretend Graph server on loopback, inside a test or as a process of its own.

    python -m tests.kit.graph_server --port 4000 --log graph.jsonl --webhook http://…/webhook

It answers as Meta's published examples do, brings signed updates to the webhook, and misbehaves as
`POST /control` says. `GET /log` lists what was sent, `POST /customer` has a customer write.
Killed and started again it still owes the statuses of what it was sent, but no customer's message.
"""

import argparse
import json
import random
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.kit.graph_account import (
    BUSINESS_ID,
    PHONE_ID,
    SECRET,
    TOKEN,
    VERIFY_TOKEN,
    Account,
    describe_error,
    make_wamid,
)
from tests.kit.graph_webhooks import Courier
from tests.kit.ports import free_port

Answer = tuple[int, Any] | None
"""None: the connection is closed without a word."""


class GraphServer:
    """Listens between `start` and `stop`; started again it keeps port and log."""

    def __init__(self, log: Path, *, webhook: str = "", port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.account = Account(log)
        self.courier = Courier(self.account, webhook)
        self._server: ThreadingHTTPServer | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a gateway is told so that it talks to this server."""
        return {
            "GATEWAY_DRIVER": "cloud",
            "GRAPH_URL": self.url,
            "WHATSAPP_TOKEN": TOKEN,
            "WHATSAPP_PHONE_ID": PHONE_ID,
            "WHATSAPP_APP_SECRET": SECRET,
            "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
            "WHATSAPP_BUSINESS_ID": BUSINESS_ID,
        }

    def start(self) -> None:
        """Bring webhooks, among them what a killed run still owed: giving one twice is harmless."""
        for entry in self.account.entries():
            self._owe_statuses(entry)
        self.courier.start()
        self.come_back()

    def stop(self) -> None:
        self.go_away()
        self.courier.stop()
        self.account.close()

    def come_back(self) -> None:
        server = self

        class Handler(_Handler):
            owner = server

        self._server = _Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def go_away(self) -> None:
        """Refuse connections; what is open is cut."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.cut()
            self._server = None

    def misbehave(self, **changes: Any) -> None:
        for name, value in changes.items():
            assert hasattr(self.account.misbehaviour, name), name
            setattr(self.account.misbehaviour, name, value)

    def customer_writes(
        self, phone: str, text: str, *, name: str = "Ann", wamid: str | None = None
    ) -> str:
        """A customer writes a text; returns its id."""
        message = {"type": "text", "text": {"body": text}}
        return self.customer_sends(phone, message, name=name, wamid=wamid)

    def customer_sends(
        self, phone: str, content: dict[str, Any], *, name: str = "Ann", wamid: str | None = None
    ) -> str:
        """A customer's message of any kind."""
        wamid = wamid or make_wamid(phone, uuid4().hex)
        message = {"from": phone, "id": wamid, "timestamp": str(int(time.time())), **content}
        contact = {"profile": {"name": name}, "wa_id": phone}
        self.courier.add("messages", message, contact=contact)
        return wamid

    def prove(self, entry: dict[str, Any], status: str, *, after: float = 0.0, **more: Any) -> None:
        """A status of a message that was sent."""
        part = {
            "id": entry["wamid"],
            "status": status,
            "timestamp": str(int(time.time() + after)),
            "recipient_id": entry["to"],
            **more,
        }
        if entry["tracker"]:
            part["biz_opaque_callback_data"] = entry["tracker"]
        self.courier.add("statuses", part, after=after)

    def _owe_statuses(self, entry: dict[str, Any]) -> None:
        ordered = self.account.misbehaviour
        self.prove(entry, "sent")
        if ordered.delivers:
            self.prove(entry, "delivered", after=ordered.delivered_after)
            if ordered.reads:
                self.prove(entry, "read", after=ordered.delivered_after + ordered.read_after)

    def answer_read(self, body: dict[str, Any]) -> Answer:
        """A customer's message is to be shown as read."""
        if code := self.account.next_code():
            return describe_error(code)
        self.account.read.append(body["message_id"])
        return 200, {"success": True}

    def answer_send(self, body: dict[str, Any]) -> Answer:
        ordered = self.account.misbehaviour
        code = ordered.refused.get(body["to"]) or self.account.next_code() or self._by_chance()
        if code:
            return describe_error(code)
        entry = self.account.take(body)
        self._owe_statuses(entry)
        time.sleep(ordered.stall)
        if self.account.spend("lost_answers") or random.uniform(0, 100) < ordered.lost_percent:
            return None
        if self.account.spend("broken_answers"):
            return 200, b"<html>not JSON</html>"
        if self.account.spend("bare_errors"):
            return 502, b"<html>Bad Gateway</html>"
        return 200, {
            "messaging_product": "whatsapp",
            "contacts": [{"input": body["to"], "wa_id": body["to"]}],
            "messages": [{"id": entry["wamid"], "message_status": "accepted"}],
        }

    def _by_chance(self) -> int | None:
        for code, percent in self.account.misbehaviour.code_percent.items():
            if random.uniform(0, 100) < percent:
                return int(code)
        return None

    def answer_get(self, parts: list[str], query: dict[str, list[str]]) -> Answer:
        """The phone number's node, templates by pages, and files."""
        match parts:
            case [node] if node == PHONE_ID:
                return 200, {"id": PHONE_ID, "display_phone_number": "+1 555-078-3881"}
            case [node, "message_templates"] if node == BUSINESS_ID:
                return 200, self._page_of_templates(query)
            case [node] if node in self.account.media:
                if code := self.account.next_code():
                    return describe_error(code)
                mime, content = self.account.media[node]
                url = f"{self.url}/files/{node}"
                about = {"url": url, "mime_type": mime, "file_size": len(content), "id": node}
                return 200, about | {"messaging_product": "whatsapp"}
        return describe_error(100, subcode=33)

    def _page_of_templates(self, query: dict[str, list[str]]) -> dict[str, Any]:
        first, limit = int(query.get("after", ["0"])[0]), int(query.get("limit", ["25"])[0])
        status = query.get("status", [None])[0]
        known = [t for t in self.account.templates if status in (None, t["status"])]
        page: dict[str, Any] = {"data": known[first : first + limit], "paging": {}}
        if first + limit < len(known):
            page["paging"] = {"cursors": {"after": str(first + limit)}, "next": f"{self.url}/next"}
        return page


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._open: set[Any] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def cut(self) -> None:
        for request in list(self._open):
            super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """A gateway that was killed is no news."""


class _Handler(BaseHTTPRequestHandler):
    owner: GraphServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Silence."""

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        parts = split.path.strip("/").split("/")
        if parts == ["log"]:
            return self._answer((200, self.owner.account.entries()))
        if self._lacks_token():
            return self._answer(describe_error(190))
        self.owner.account.calls[split.path] += 1
        if parts[0] == "files":
            known = self.owner.account.media.get(parts[1])
            return self._answer((200, known[1]) if known else (404, b"gone"))
        return self._answer(self.owner.answer_get(parts[1:], parse_qs(split.query)))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = self.path.strip("/").split("/")
        if parts == ["control"]:
            self.owner.misbehave(**body)
            return self._answer((200, asdict(self.owner.account.misbehaviour)))
        if parts == ["customer"]:
            return self._answer((201, {"id": self.owner.customer_writes(**body)}))
        if self._lacks_token():
            return self._answer(describe_error(190))
        if parts[1:] == [PHONE_ID, "messages"]:
            is_read = body.get("status") == "read"
            answer = self.owner.answer_read if is_read else self.owner.answer_send
            return self._answer(answer(body))
        return self._answer(describe_error(100, subcode=33))

    def _lacks_token(self) -> bool:
        account = self.owner.account
        given = self.headers.get("Authorization")
        return account.misbehaviour.token_refused or given != f"Bearer {account.token}"

    def _answer(self, answer: Answer) -> None:
        if answer is None:
            self.close_connection = True
            return
        status, body = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--webhook", required=True)
    options = parser.parse_args()
    server = GraphServer(options.log, webhook=options.webhook, port=options.port)
    server.start()
    print(f"pretend Graph server on {server.url}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
