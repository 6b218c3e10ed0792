"""Every driver, each with the pretend WhatsApp behind it."""

from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest

from config.settings import Settings
from gateway.drivers.base import Driver, DriverState
from tests.gateway.conformance.cloud import CloudFarSide
from tests.gateway.conformance.far_side import FarSide, ReadingSink
from tests.gateway.conformance.simulator import SimulatorFarSide
from tests.gateway.conformance.web import WebFarSide
from tests.kit.waiting import eventually

FAR_SIDES: dict[str, Callable[[Settings], FarSide]] = {
    "simulator": SimulatorFarSide,
    "cloud": CloudFarSide,
    "web": WebFarSide,
}


@pytest.fixture(params=FAR_SIDES)
def far_side(
    request: pytest.FixtureRequest, settings: Settings, lacking: Callable[[str], NoReturn]
) -> Iterator[FarSide]:
    """A far side that listens, its driver not connected yet."""
    try:
        made = FAR_SIDES[request.param](settings)
    except ImportError as error:
        lacking(f"driver {request.param} left out, run `make setup-whatsapp` to have it: {error}")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def driver(far_side: FarSide) -> Driver:
    return far_side.driver


@pytest.fixture
def sink(driver: Driver) -> ReadingSink:
    return ReadingSink(driver)


@pytest.fixture
def connected(driver: Driver, sink: ReadingSink) -> Driver:
    """The driver, connected and ready."""
    driver.connect(sink)
    eventually(lambda: driver.state() is DriverState.READY)
    return driver
