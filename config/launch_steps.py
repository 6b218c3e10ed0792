"""The steps of one `make run`: Redis, then the migrations, then everything else and a banner."""

import time
from pathlib import Path

from config.addresses import is_loopback_host
from config.environment import child_environment
from config.launch_checks import http_answers, redis_answers, require_redis
from config.launch_output import Output
from config.launch_process import Process
from config.launch_supervisor import Supervisor
from config.redis import data_directory, find_server, redis_url
from config.settings import GatewayDriver, Settings, SettingsError

PORTS = {"frontend": 3000, "web": 8000, "gateway": 3002, "flower": 5555}
HEALTH = {
    "frontend": "/config.js", "web": "/healthz", "gateway": "/healthz", "flower": "/healthcheck"
}  # fmt: skip
REDIS_PATIENCE = 60.0
"""Seconds that the embedded server may take to load its file."""


class Launch:
    """One `make run`: what to start, where, and in which order."""

    def __init__(self, settings: Settings, commands: dict[str, list[str]], ports: dict[str, int]):
        self._settings = settings
        self._ports = ports
        self._host = _reachable(settings.host)
        environment = self._environment()
        self._processes = {
            name: Process(
                name, command, environment | ({"PORT": str(ports[name])} if name in ports else {})
            )
            for name, command in commands.items()
        }

    def _environment(self) -> dict[str, str]:
        """What the children are told: absolute folders, and each other's true addresses."""
        settings = self._settings
        told = {"VAR_DIR": str(settings.var_dir), "PAGES_DIR": str(settings.pages_dir)}
        for name, variable, url in (
            ("web", "BACKEND_URL", self._settings.backend_url),
            ("gateway", "GATEWAY_URL", self._settings.gateway_url),
        ):
            # Somebody who named another address means it; the default follows the chosen port.
            is_default = url == f"http://127.0.0.1:{PORTS[name]}"
            port = self._ports.get(name, PORTS[name])
            told[variable] = f"http://{self._host}:{port}" if is_default else url
        told["CORS_ORIGINS"] = ",".join(self._origins())
        return child_environment(told)

    def _origins(self) -> list[str]:
        """Who may call the API: those of the settings, and our own page wherever it is."""
        given = list(self._settings.cors_origins)
        if "frontend" not in self._ports:
            return given
        hosts = ("localhost", "127.0.0.1", f"[{self._host}]" if ":" in self._host else self._host)
        own = [f"http://{host}:{self._ports['frontend']}" for host in hosts]
        return list(dict.fromkeys([*given, *own]))

    def run(self, supervisor: Supervisor, output: Output) -> None:
        """Start in order and keep alive until told to stop."""
        release, redis = self._processes.pop("release", None), self._processes.pop("redis", None)
        output.line("run", f"starting {', '.join(self._processes)}")
        if not self._start_redis(redis, supervisor) or not _migrate(release, supervisor):
            return
        for process in self._processes.values():
            supervisor.start(process)
        supervisor.keep_alive(lambda: self._announce(output))
        output.line("run", "stopping everything")

    def _start_redis(self, redis: Process | None, supervisor: Supervisor) -> bool:
        """True once Redis answers, False when told to stop; raises when it cannot start."""
        url = redis_url(self._settings)
        if redis is None:
            if self._settings.redis_url:
                require_redis(url)
            return True
        find_server()
        log = data_directory(self._settings.var_dir) / "redis.log"
        known = log.stat().st_size if log.exists() else 0
        supervisor.start(redis)
        give_up = time.monotonic() + REDIS_PATIENCE
        ready = supervisor.wait(
            lambda: redis_answers(url) or not redis.is_running() or time.monotonic() > give_up
        )
        if ready and not (redis.is_running() and redis_answers(url)):
            raise SettingsError(_why_redis_failed(log, known))
        return ready

    def _announce(self, output: Output) -> bool:
        """Print where everything is once all of it answers; True when that was done."""
        if not all(http_answers(self._host, p, HEALTH[n]) for n, p in self._ports.items()):
            return False
        for line in banner(self._host, self._ports, self._settings):
            output.line("run", line)
        return True


def _reachable(host: str) -> str:
    """An address that a browser on this machine can use for a server bound to `host`."""
    if host in {"", "0.0.0.0", "::"}:
        return "127.0.0.1"
    return host


def _migrate(release: Process | None, supervisor: Supervisor) -> bool:
    """Bring the database up to date; False when told to stop, raises when it failed."""
    if release is None:
        return True
    supervisor.start(release)
    status = supervisor.wait_for_end(release)
    if status:
        raise SettingsError(
            "Cannot start: the migrations failed, the lines above say why; nothing else ran."
        )
    return status == 0


def _why_redis_failed(log: Path, known: int) -> str:
    """One sentence from what Redis wrote to its log since it started."""
    written = log.read_bytes()[known:].decode(errors="replace") if log.exists() else ""
    lines = written.strip().splitlines()
    reason = f" ({lines[-1].strip()})" if lines else ""
    return (
        f"Cannot start: Redis did not come up{reason}; its log is {log}. Should its file be "
        f"broken, move {log.parent} away: the database knows what is still to be sent."
    )


def banner(host: str, ports: dict[str, int], settings: Settings) -> list[str]:
    """Where everything is, for a browser that can reach `host`."""
    # Other machines may call the API from its own address only: CORS knows this machine's names.
    is_shared = not is_loopback_host(settings.host) and "web" in ports
    addresses = {
        "Inbox": ("web", "/") if is_shared else ("frontend", ""),
        "API and its docs": ("web", "/docs"),
        "Metrics": ("web", "/metrics"),
        "WhatsApp gateway": ("gateway", "/status"),
        "Pretend WhatsApp": ("gateway", "/simulator"),
        "Queue (Flower)": ("flower", "/"),
    }
    if settings.gateway_driver is not GatewayDriver.SIMULATOR:
        del addresses["Pretend WhatsApp"]
    # The name that people type, and one that browsers keep cookies and settings under.
    hosts = {"frontend": "localhost" if host == "127.0.0.1" else host}
    return [
        "",
        "Everything is running.",
        *(
            f"  {title:<18} http://{hosts.get(name, host)}:{ports[name]}{path}"
            for title, (name, path) in addresses.items()
            if name in ports
        ),
        f"  {'Data':<18} {settings.var_dir}",
        "Ctrl-C stops everything.",
        "",
    ]
