"""The driver `web` with a pretend far side, and neonize's event objects where it is installed."""

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from config.settings import Settings
from gateway.drivers.web.driver import WebDriver
from tests.gateway.web.far_side import FarSide, RecordingSink, load_protos
from tests.gateway.web.writer import Writer
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


@pytest.fixture
def write(protos: Any) -> Writer:
    return Writer(protos)
