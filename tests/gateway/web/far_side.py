"""A pretend line: what the library would tell is told by the test, in neonize's own objects."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import pytest

from gateway.drivers.events import Inbound, Picture, Receipt
from gateway.drivers.web.line import Address, File, LineError
from gateway.store.database import StoreBusyError

PHONE, LID = "60123456789", "987654321098765"


def load_protos() -> Any:
    """neonize's protobuf module. Raises ImportError where neonize or libmagic is not there."""
    opened: list[Any] = []
    real = os.popen

    def keep(command: str) -> Any:
        opened.append(real(command))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "popen", keep)
        protos = import_module("neonize.proto.Neonize_pb2")
    for pipe in opened:  # It leaves them open, and a later test would hear the warning.
        pipe.close()
    return protos


class FarSide:
    """Everything behind the lines of one driver."""

    def __init__(self) -> None:
        self.lines: list[PretendLine] = []
        self.is_away = False
        self.knocks: list[bool] = []
        self.pauses: list[int] = []
        self.phones: dict[str, str] = {}
        self.users: dict[str, Address] = {PHONE: Address(user=PHONE, server="s.whatsapp.net")}
        self.lookups: list[str] = []
        self.sent: list[tuple[Address, str]] = []
        self.words: str | None = None
        self.silent = threading.Event()
        self.read: list[tuple[Address, list[str]]] = []
        self.files: dict[str, bytes] = {}
        self.asked: list[File] = []
        self.own: list[Address] = []
        self.picture = "http://127.0.0.1/picture.jpg"

    def open_line(self) -> PretendLine:
        return PretendLine(self)

    def knock(self) -> bool:
        self.knocks.append(not self.is_away)
        return not self.is_away

    def pause(self, tries: int) -> float:
        self.pauses.append(tries)
        return 0.02

    @property
    def line(self) -> PretendLine:
        return self.lines[-1]


class PretendLine:
    def __init__(self, far_side: FarSide) -> None:
        self._far = far_side
        self._over = threading.Event()
        self.hung_up = False

    def run(self, *, on_event, on_code) -> None:
        self.tell, self.show = on_event, on_code
        self._far.lines.append(self)
        if self._far.is_away:
            raise LineError("failed to dial whatsapp web websocket")
        self._over.wait()

    def break_down(self) -> None:
        self._over.set()

    def hang_up(self) -> None:
        self.hung_up = True
        self._over.set()

    def ask(self) -> None:
        if self._far.silent.is_set():
            self._over.wait()
        self._complain()

    def send(self, to: Address, text: str) -> str:
        self._complain()
        self._far.sent.append((to, text))
        return f"3EB0{len(self._far.sent):04}"

    def find_user(self, phone: str) -> Address | None:
        self._far.lookups.append(phone)
        return self._far.users.get(phone)

    def find_phone(self, lid: str) -> str | None:
        return self._far.phones.get(lid)

    def find_lid(self, phone: str) -> str | None:
        return next((lid for lid, known in self._far.phones.items() if known == phone), None)

    def mark_read(self, chat: Address, whatsapp_ids: Sequence[str]) -> None:
        self._complain()
        self._far.read.append((chat, list(whatsapp_ids)))

    def own_addresses(self) -> list[Address]:
        return self._far.own

    def download(self, file: File) -> bytes:
        self._complain()
        self._far.asked.append(file)
        return self._far.files[file.path]

    def find_picture(self, whose: Address) -> str:
        self._complain()
        return self._far.picture

    def _complain(self) -> None:
        if self._far.words:
            raise LineError(self._far.words)


class RecordingSink:
    def __init__(self) -> None:
        self.inbounds: list[Inbound] = []
        self.receipts: list[Receipt] = []
        self.pictures: list[Picture] = []
        self.states: list[str] = []
        self.away = 0
        """How many reports the store is still too busy for."""
        self.unstorable: set[str] = set()
        """Texts, mimetypes and ids that the store will never take."""
        self.refused: list[Inbound | Receipt] = []

    def inbound(self, event: Inbound) -> None:
        self._refuse(event.text, event.whatsapp_id, event.media and event.media.mime, event=event)
        self.inbounds.append(event)

    def receipt(self, event: Receipt) -> None:
        self._refuse(event.whatsapp_id, event=event)
        self.receipts.append(event)

    def picture(self, event: Picture) -> None:
        self._refuse(event=event)
        self.pictures.append(event)

    def failure(self, event: object) -> None:
        raise AssertionError(event)

    def update(self, raw: str) -> None:
        raise AssertionError(raw)

    def state_changed(self, state: str) -> None:
        self.states.append(str(state))

    def _refuse(self, *fields: str | None, event: Any) -> None:
        if self.away:
            self.away -= 1
            raise StoreBusyError("the store is away")
        if self.unstorable.intersection(fields):
            self.refused.append(event)
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
