"""Run as a program: neonize's client with its network calls replaced, and events told to it.

Go's runtime does not belong into the tests' own process.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from gateway.drivers.events import MediaKind
from gateway.drivers.web import client as library
from gateway.drivers.web.line import Address, File
from tests.gateway.web.far_side import PHONE, load_protos
from tests.gateway.web.writer import Writer
from tests.kit.waiting import eventually

CODES = {"Connected": 3, "Message": 17, "Receipt": 18}


def play(database: str) -> dict[str, Any]:
    line, seen = library.NeonizeLine(database), Seen()
    writer = Writer(load_protos())

    def tell(event: Any) -> None:
        line._client.event.list_func[CODES[event.DESCRIPTOR.name]](line._client, event)

    def stop() -> None:
        """What is under way in Go still arrives while it ends."""
        tell(writer.protos.Connected(status=True))
        tell(writer.message({"conversation": "late"}))
        tell(writer.receipt("READ"))
        seen.stops += 1
        seen.over.set()

    line._client.connect, line._client.stop = seen.over.wait, stop
    line._client.mark_read, line._client.download_any = seen.mark_read, seen.download
    run = threading.Thread(
        target=lambda: line.run(on_event=seen.hear, on_code=print), name="line", daemon=True
    )
    run.start()
    me = writer.protos.Device(
        JID=writer.jid(PHONE), LID=writer.lid(), Platform="", BussinessName="", PushName=""
    )
    me.Initialized = True
    line._client.me = me
    eventually(lambda: library.GO_LOG.listener)
    tell(writer.protos.Connected(status=True))
    line.mark_read(Address(user=PHONE, server="s.whatsapp.net"), ["A", "B"])
    seen.file = line.download(
        File(
            kind=MediaKind.STICKER, path="/v", key=b"k", digest=b"d", encrypted_digest=b"e", size=5
        )
    ).decode()
    seen.own = [own.user for own in line.own_addresses()]
    line.hang_up()
    run.join(10)
    return seen.told()


class Seen:
    def __init__(self) -> None:
        self.over = threading.Event()
        self.events: list[str] = []
        self.stops = 0
        self.read: dict[str, Any] = {}
        self.file = ""
        self.own: list[str] = []

    def hear(self, event: Any) -> None:
        self.events.append(event.DESCRIPTOR.name)

    def mark_read(self, *ids: str, chat: Any, sender: Any, receipt: Any) -> None:
        self.read = {"ids": ids, "chat": chat.User, "sender": sender.User, "kind": receipt.name}

    def download(self, message: Any) -> bytes:
        (part,) = [field.name for field, _ in message.ListFields()]
        return f"{part} {getattr(message, part)}".encode()

    def told(self) -> dict[str, Any]:
        kept = ("events", "stops", "read", "file", "own")
        return {name: getattr(self, name) for name in kept}


if __name__ == "__main__":
    print(json.dumps(play(sys.argv[1])))
