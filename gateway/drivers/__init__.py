"""The drivers this build ships. To add one: a file, and a line in `DRIVERS`."""

from collections.abc import Callable

from config.settings import GatewayDriver, Settings, SettingsError
from gateway.drivers.base import Driver
from gateway.drivers.simulator.driver import Simulator
from gateway.drivers.web.driver import WebDriver

DRIVERS: dict[GatewayDriver, Callable[[Settings], Driver]] = {
    GatewayDriver.SIMULATOR: Simulator,
    GatewayDriver.WEB: WebDriver,
}


def make_driver(settings: Settings) -> Driver:
    """The driver that the settings name; it is not connected yet. Raises SettingsError."""
    make = DRIVERS.get(settings.gateway_driver)
    if make is None:
        shipped = ", ".join(DRIVERS)
        raise SettingsError(
            f"Cannot start: GATEWAY_DRIVER={settings.gateway_driver} is not in this build, "
            f"which ships: {shipped}."
        )
    return make(settings)
