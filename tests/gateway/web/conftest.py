"""The driver `web` with a pretend far side, and neonize's event objects where it is installed."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from config.settings import Settings
from gateway.drivers.web.driver import WebDriver
from tests.gateway.web.far_side import LID, PHONE, FarSide, RecordingSink, load_protos
from tests.kit.waiting import eventually


@pytest.fixture(scope="session")
def protos(lacking: Callable[[str], NoReturn]) -> Any:
    try:
        return load_protos()
    except ImportError as error:
        lacking(f"WhatsApp Web tests left out, run `make setup-whatsapp` to have them: {error}")


@pytest.fixture
def far_side() -> FarSide:
    return FarSide()


@pytest.fixture
def sink() -> RecordingSink:
    return RecordingSink()


@pytest.fixture
def driver(settings: Settings, far_side: FarSide, sink: RecordingSink) -> Iterator[WebDriver]:
    made = WebDriver(
        settings, open_line=far_side.open_line, knock=far_side.knock, pause=far_side.pause
    )
    yield made
    made.disconnect()


@pytest.fixture
def line(protos: Any, driver: WebDriver, far_side: FarSide, sink: RecordingSink) -> Any:
    """The driver's line, connected."""
    driver.connect(sink)
    eventually(lambda: far_side.lines)
    far_side.line.tell(protos.Connected(status=True))
    eventually(lambda: sink.states[-1:] == ["ready"])
    return far_side.line


class Writer:
    """Makes events as neonize's Go side does."""

    def __init__(self, protos: Any) -> None:
        self.protos = protos

    def jid(self, user: str, server: str = "s.whatsapp.net") -> Any:
        return self.protos.JID(
            User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not user
        )

    def source(self, chat: Any = None, *, alt: Any = None, **fields: Any) -> Any:
        chat = chat or self.jid(PHONE)
        given = {"IsFromMe": False, "IsGroup": False, "Sender": chat, **fields}
        alt = alt or self.jid("", "")
        return self.protos.MessageSource(Chat=chat, SenderAlt=alt, **given)

    def message(self, content: dict[str, Any], source: Any = None, **fields: Any) -> Any:
        info = self.protos.MessageInfo(
            MessageSource=source or self.source(),
            ID="3A0001",
            Pushname="Amara",
            Timestamp=1_758_636_343_000,
        )
        event = self.protos.Message(Info=info, IsEdit=False, **fields)
        event.Message.CopyFrom(type(event.Message)(**content))
        return event

    def receipt(self, kind: str | None, *ids: str, source: Any = None) -> Any:
        given = {} if kind is None else {"Type": self.protos.Receipt.ReceiptType.Value(kind)}
        return self.protos.Receipt(
            MessageSource=source or self.source(),
            MessageIDs=ids or ("3EB0001",),
            Timestamp=1_758_636_400,
            **given,
        )

    def lid(self) -> Any:
        return self.jid(LID, "lid")


@pytest.fixture
def write(protos: Any) -> Writer:
    return Writer(protos)
