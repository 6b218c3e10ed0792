"""The drivers this build ships. To add one: a file, and a line in `DRIVERS`."""

from collections.abc import Callable
from importlib import import_module

from config.settings import GatewayDriver, Settings, SettingsError
from gateway.drivers.base import Driver

# By name, so that only the chosen one is loaded: what `cloud` stands on alone takes 35 MB of
# memory and over a second of start.
DRIVERS: dict[GatewayDriver, str] = {
    GatewayDriver.SIMULATOR: "gateway.drivers.simulator.driver:Simulator",
    GatewayDriver.CLOUD: "gateway.drivers.cloud.driver:Cloud",
}


def make_driver(settings: Settings) -> Driver:
    """The driver that the settings name; it is not connected yet. Raises SettingsError."""
    place = DRIVERS.get(settings.gateway_driver)
    if place is None:
        shipped = ", ".join(DRIVERS)
        raise SettingsError(
            f"Cannot start: GATEWAY_DRIVER={settings.gateway_driver} is not in this build, "
            f"which ships: {shipped}."
        )
    module, _, name = place.partition(":")
    make: Callable[[Settings], Driver] = getattr(import_module(module), name)
    return make(settings)
