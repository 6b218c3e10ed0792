"""The drivers. To add one: a file, a line in `DRIVERS`, a far side for the conformance suite."""

from collections.abc import Callable
from importlib import import_module

from config.settings import GatewayDriver, Settings
from gateway.drivers.base import Driver

# By name, so that only the chosen one is loaded: what `cloud` stands on alone takes 35 MB of
# memory and over a second of start.
DRIVERS: dict[GatewayDriver, str] = {
    GatewayDriver.SIMULATOR: "gateway.drivers.simulator.driver:Simulator",
    GatewayDriver.CLOUD: "gateway.drivers.cloud.driver:Cloud",
    GatewayDriver.WEB: "gateway.drivers.web.driver:WebDriver",
}


def make_driver(settings: Settings) -> Driver:
    """The driver that the settings name; it is not connected yet. Raises SettingsError."""
    module, _, name = DRIVERS[settings.gateway_driver].partition(":")
    make: Callable[[Settings], Driver] = getattr(import_module(module), name)
    return make(settings)
