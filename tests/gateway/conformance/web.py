"""The pretend line of WhatsApp Web, which connects by itself as the real one does."""

from typing import Any

from config.settings import Settings
from gateway.drivers.web.driver import WebDriver
from gateway.drivers.web.line import Address
from tests.gateway.conformance.far_side import Received
from tests.gateway.web.far_side import FarSide, PretendLine, load_protos
from tests.gateway.web.writer import Writer

SERVER = "s.whatsapp.net"


class WebFarSide:
    """Raises ImportError where neonize is not installed."""

    def __init__(self, settings: Settings) -> None:
        self._protos = load_protos()
        self._write = Writer(self._protos)
        self._behind = _Behind(self._protos)
        self._told = 0
        self.driver = WebDriver(
            settings,
            open_line=self._behind.open_line,
            knock=self._behind.knock,
            pause=self._behind.pause,
        )

    def start(self) -> None:
        """Nothing listens: the line is the driver's own."""

    def stop(self) -> None:
        self.driver.disconnect()

    def customer_writes(self, phone: str, text: str, name: str) -> None:
        self._told += 1
        source = self._write.source(self._write.jid(phone))
        event = self._write.message({"conversation": text}, source)
        event.Info.ID = f"3A{self._told:04}"
        event.Info.Pushname = name
        event.Info.Timestamp = self._write.now()
        self._behind.line.tell(event)

    def delivers(self, whatsapp_id: str) -> None:
        self._prove("DELIVERED", whatsapp_id)

    def reads(self, whatsapp_id: str) -> None:
        self._prove("READ", whatsapp_id)

    def _prove(self, kind: str, whatsapp_id: str) -> None:
        (to,) = {sent.to for sent in self.received() if sent.whatsapp_id == whatsapp_id}
        source = self._write.source(self._write.jid(to))
        self._behind.line.tell(self._write.receipt(kind, whatsapp_id, source=source))

    def received(self) -> list[Received]:
        return [
            Received(to=to.user, text=text, whatsapp_id=f"3EB0{number:04}")
            for number, (to, text) in enumerate(self._behind.sent, 1)
        ]

    def refuse(self, phone: str) -> None:
        self._behind.users.refused.add(phone)

    def go_away(self) -> None:
        self._behind.is_away = True
        if self._behind.lines:
            self._behind.line.tell(self._protos.Disconnected(status=True))
            self._behind.line.break_down()

    def come_back(self) -> None:
        self._behind.is_away = False


class _Everyone(dict[str, Address]):
    """Every phone is on WhatsApp but those that were refused."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()

    def get(self, phone: str, default: Any = None) -> Any:
        return default if phone in self.refused else Address(user=phone, server=SERVER)


class _Behind(FarSide):
    def __init__(self, protos: Any) -> None:
        super().__init__()
        self.users: _Everyone = _Everyone()
        self.protos = protos

    def open_line(self) -> PretendLine:
        return _Line(self)


class _Line(PretendLine):
    def run(self, *, on_event: Any, on_code: Any) -> None:
        if not self._far.is_away:
            on_event(self._far.protos.Connected(status=True))
        super().run(on_event=on_event, on_code=on_code)
