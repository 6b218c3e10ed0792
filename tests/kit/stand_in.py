"""The launcher on a stand-in Procfile, whose processes are small enough to see through."""

import os
import sys
from pathlib import Path

import psutil
import redis

from config.settings import PROJECT_ROOT
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.waiting import eventually

WORKER = """
import os, signal, sys, time
from pathlib import Path
from redis import Redis

diary = Path(os.environ["VAR_DIR"]) / "diary"
def write(line):
    with diary.open("a") as file:
        file.write(line + "\\n")

client = Redis.from_url("unix://" + os.environ["VAR_DIR"] + "/redis/redis.sock")
def end(*_):
    time.sleep(1)
    client.incr("ended")
    write("worker ended with redis there")
    sys.exit()

signal.signal(signal.SIGTERM, end)
write(f"worker started as {os.getpid()}, release {(diary.parent / 'released').exists()}")
while True:
    time.sleep(0.1)
"""
WEB = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        name = self.path.strip("/")
        self.wfile.write(os.environ.get(name, "no such variable").encode())

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("stubborn is up")
time.sleep(600)
"""


class StandIn:
    """One launcher on a stand-in Procfile, with everything it writes in `directory`."""

    def __init__(self, directory: Path, **environment: str) -> None:
        self.var_dir = directory / "var"
        self.web_port, self.frontend_port = free_port(), free_port()
        self._directory = directory
        for name, text in (("worker", WORKER), ("web", WEB), ("stubborn", STUBBORN)):
            (directory / f"{name}.py").write_text(text)
        self.procfile = directory / "Procfile"
        self.write_procfile("redis", "release", "web", "worker")
        self.environment = {
            "PATH": os.defpath,
            "VAR_DIR": str(self.var_dir),
            "GATEWAY_URL": "http://127.0.0.1:9",
            **environment,
        }
        self.program = self._launcher()

    def write_procfile(self, *names: str, **other: str) -> None:
        python = f"'{sys.executable}'"
        lines = {
            "redis": f"{python} -m config.redis",
            "release": f"touch '{self.var_dir}/released'",
            "web": f"{python} '{self._directory}/web.py'",
            "worker": f"{python} '{self._directory}/worker.py'",
            "frontend": f"{python} -m gunicorn --config config/gunicorn_frontend.py pages.wsgi:app",
            "stubborn": f"{python} '{self._directory}/stubborn.py'",
            **other,
        }
        chosen = [f"{name}: {lines[name]}" for name in (*names, *other)]
        self.procfile.write_text("\n".join(chosen))

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "config.launcher", "--procfile", str(self.procfile)),
            *("--web-port", str(self.web_port), "--frontend-port", str(self.frontend_port)),
        ]

    def _launcher(self) -> Program:
        return Program(
            self.command(),
            environment=self.environment,
            log=self._directory / "run.log",
            directory=PROJECT_ROOT,
        )

    def start(self) -> None:
        """Start it and wait for its banner, and for a worker, which the banner does not."""
        known = len(self.diary())
        self.program.start()
        self.wait_for("Everything is running")
        if "worker:" in self.procfile.read_text():
            eventually(lambda: len(self.diary()) > known, timeout=30)

    def wait_for(self, text: str, *, times: int = 1) -> None:
        eventually(lambda: self.program.output().count(text) >= times, timeout=30)

    def again(self) -> "StandIn":
        """Ready for a second start, reading only what that one writes."""
        self.program.log.unlink()
        self.program = self._launcher()
        return self

    def refuses(self) -> str:
        """Start it, expect it to give up with status 1; returns what it said last."""
        self.program.start()
        assert self.program.wait(30) == 1, self.program.output()
        return self.program.output().strip().splitlines()[-1]

    def diary(self) -> list[str]:
        diary = self.var_dir / "diary"
        return diary.read_text().splitlines() if diary.exists() else []

    def redis(self) -> "redis.Redis[str]":
        url = f"unix://{self.var_dir}/redis/redis.sock"
        return redis.Redis.from_url(url, decode_responses=True)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.program.pid).children(recursive=True)

    def child(self, name: str) -> psutil.Process:
        """The process whose command line ends in this."""
        found = [c for c in self.children() if c.cmdline() and c.cmdline()[-1].endswith(name)]
        assert len(found) == 1, found
        return found[0]
