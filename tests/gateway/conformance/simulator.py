"""The simulator is driver and far side in one."""

from config.settings import Settings
from gateway.drivers.base import DriverState
from gateway.drivers.simulator.driver import Simulator
from tests.gateway.conformance.far_side import Received


class SimulatorFarSide:
    def __init__(self, settings: Settings) -> None:
        self.driver = Simulator(settings)

    def start(self) -> None:
        self.driver.misbehave({"delivered_after": (0.0, 0.05), "read_after": (0.05, 0.1)})

    def stop(self) -> None:
        self.driver.disconnect()

    def customer_writes(self, phone: str, text: str, name: str) -> None:
        self.driver.write(phone, text, name=name)

    def delivers(self, whatsapp_id: str) -> None:
        """By itself."""

    def reads(self, whatsapp_id: str) -> None:
        """By itself."""

    def received(self) -> list[Received]:
        return [
            Received(to=entry.to, text=entry.text, whatsapp_id=entry.whatsapp_id)
            for entry in self.driver.journal.entries()
        ]

    def refuse(self, phone: str) -> None:
        self.driver.misbehave({"refused": [phone]})

    def go_away(self) -> None:
        self.driver.misbehave({"connection": DriverState.DEGRADED})

    def come_back(self) -> None:
        self.driver.misbehave({"connection": DriverState.READY})
