"""The gateway as it is run: gunicorn, in its own process, killed without mercy."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests.kit.leaks import known as known_leaks
from tests.kit.ports import free_port
from tests.kit.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (
    sys.executable,
    "-m",
    "gunicorn",
    "--config",
    "config/gunicorn_gateway.py",
    "gateway.wsgi:app",
)


class GatewayProcess:
    def __init__(self, folder: Path, backend_url: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "APP_ENV": "testing",
            "VAR_DIR": str(folder),
            "PORT": str(self.port),
            "BACKEND_URL": backend_url,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> None:
        """Start it and wait until WhatsApp is connected."""
        self.launch(**environment)
        eventually(self.is_ready, timeout=60)

    def launch(self, **environment: str) -> subprocess.Popen[bytes]:
        known_leaks.watch(self.folder / "gateway.out")
        known_leaks.remember_settings(self.environment | environment)
        with (self.folder / "gateway.out").open("ab") as output:
            self._process = subprocess.Popen(
                COMMAND,
                cwd=ROOT,
                env=self.environment | environment,
                stdout=output,
                stderr=output,
            )
        return self._process

    def is_ready(self) -> bool:
        with suppress(httpx.HTTPError):
            return bool(httpx.get(f"{self.url}/status", timeout=5).json()["ready"])
        return False

    def post(self, path: str, body: object) -> httpx.Response:
        return httpx.post(f"{self.url}{path}", json=body, timeout=20)

    def send(self, message_id: int, to: str, message: str) -> httpx.Response:
        body = {"to": to, "message": message, "backend_message_id": message_id}
        return self.post("/send", body)

    def status(self) -> dict:
        return httpx.get(f"{self.url}/status", timeout=20).json()

    def journal(self) -> list[dict]:
        """What the pretend WhatsApp received."""
        file = self.folder / "simulator.jsonl"
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [json.loads(line) for line in lines]

    def output(self) -> str:
        return (self.folder / "gateway.out").read_text()

    def pids(self) -> list[psutil.Process]:
        """The master and its worker."""
        if self._process is None or self._process.poll() is not None:
            return []
        master = psutil.Process(self._process.pid)
        return [master, *master.children()]

    def kill(self) -> None:
        """kill -9, master and worker at once."""
        for process in self.pids():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait(10)
            self._process = None

    def kill_worker(self) -> None:
        _, worker = self.pids()
        worker.kill()

    def kill_master(self) -> psutil.Process:
        """kill -9 the master only; returns the worker, orphaned for a moment."""
        master, worker = self.pids()
        master.kill()
        assert self._process is not None
        self._process.wait(10)
        self._process = None
        return worker

    def terminate(self) -> int:
        """SIGTERM; returns the exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(20)
