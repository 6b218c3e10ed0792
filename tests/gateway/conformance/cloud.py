"""The pretend Graph server, and a small web server for the driver's webhook."""

import dataclasses
import threading

from flask import Flask
from werkzeug.serving import make_server

from config.settings import CloudSettings, Settings
from gateway.drivers.cloud.driver import Cloud
from tests.gateway.conformance.far_side import Received
from tests.kit.graph_account import PHONE_ID, SECRET, TOKEN, VERIFY_TOKEN
from tests.kit.graph_server import GraphServer
from tests.kit.ports import free_port


class CloudFarSide:
    def __init__(self, settings: Settings) -> None:
        self._graph = GraphServer(settings.var_dir / "graph.jsonl")
        self._graph.misbehave(delivers=False)
        self.driver = Cloud(
            dataclasses.replace(
                settings,
                cloud=CloudSettings(
                    graph_url=self._graph.url,
                    token=TOKEN,
                    phone_id=PHONE_ID,
                    app_secret=SECRET,
                    verify_token=VERIFY_TOKEN,
                    business_id="",
                ),
            )
        )
        app = Flask("webhook")
        self.driver.mount(app)
        self._door = make_server("127.0.0.1", free_port(), app, threaded=True)

    def start(self) -> None:
        threading.Thread(target=self._door.serve_forever, args=(0.02,), daemon=True).start()
        self._graph.courier.webhook = f"http://127.0.0.1:{self._door.server_port}/webhook"
        self._graph.start()

    def stop(self) -> None:
        self.driver.disconnect()
        self._graph.stop()
        self._door.shutdown()
        self._door.server_close()

    def customer_writes(self, phone: str, text: str, name: str) -> None:
        self._graph.customer_writes(phone, text, name=name)

    def delivers(self, whatsapp_id: str) -> None:
        self._prove(whatsapp_id, "delivered")

    def reads(self, whatsapp_id: str) -> None:
        self._prove(whatsapp_id, "read")

    def _prove(self, whatsapp_id: str, status: str) -> None:
        for entry in self._graph.account.entries():
            if entry["wamid"] == whatsapp_id:
                self._graph.prove(entry, status)

    def received(self) -> list[Received]:
        return [
            Received(to=entry["to"], text=entry["text"], whatsapp_id=entry["wamid"])
            for entry in self._graph.account.entries()
        ]

    def refuse(self, phone: str) -> None:
        self._graph.misbehave(refused={phone: 131026})

    def go_away(self) -> None:
        self._graph.go_away()

    def come_back(self) -> None:
        self._graph.come_back()
