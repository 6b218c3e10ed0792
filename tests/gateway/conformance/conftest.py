"""Every driver, each with the pretend WhatsApp behind it."""

from collections.abc import Callable, Iterator

import pytest

from config.settings import Settings
from gateway.drivers.base import Driver, DriverState
from tests.gateway.conformance.cloud import CloudFarSide
from tests.gateway.conformance.far_side import FarSide, ReadingSink
from tests.gateway.conformance.simulator import SimulatorFarSide
from tests.kit.waiting import eventually

FAR_SIDES: dict[str, Callable[[Settings], FarSide]] = {
    "simulator": SimulatorFarSide,
    "cloud": CloudFarSide,
}


@pytest.fixture(params=FAR_SIDES)
def far_side(request: pytest.FixtureRequest, settings: Settings) -> Iterator[FarSide]:
    """A far side that listens, its driver not connected yet."""
    made = FAR_SIDES[request.param](settings)
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
