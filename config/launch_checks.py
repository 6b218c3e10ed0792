"""What `make run` makes sure of before it starts anything, each failure as one clear sentence."""

import errno
import fcntl
import http.client
import os
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import redis

from config.settings import SettingsError


def require_free_ports(host: str, ports: Mapping[str, int]) -> None:
    """Every port can be bound. Raises `SettingsError` naming the first that cannot."""
    if len(set(ports.values())) < len(ports):
        raise SettingsError(f"Cannot start: two processes were given the same port: {dict(ports)}.")
    for name, port in ports.items():
        option = f"{name.upper()}_PORT"
        way_out = f"choose another one: make run {option}={port + 1 if port < 65535 else 8000}"
        try:
            _bind(host, port)
        except PermissionError:
            raise SettingsError(f"Port {port} is for root only; {way_out}") from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SettingsError(f"Cannot listen on {host}:{port} ({error}).") from error
            raise SettingsError(
                f"Port {port} is taken, by another program or by a second `make run`; "
                f"stop that, or {way_out}"
            ) from None


def _bind(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As gunicorn does it: connections of the last run that are fading out do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def hold_folder(var_dir: Path) -> int:
    """Lock the data folder for this run; the descriptor holds the lock until we end."""
    try:
        var_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(var_dir / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise SettingsError(f"Cannot start: {var_dir} cannot be written to ({error}).") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(lock, 20).decode().strip()
        raise SettingsError(
            f"`make run` is running already on {var_dir} (process {pid}); stop it, or use another "
            "data folder and other ports: make run VAR_DIR=… FRONTEND_PORT=… WEB_PORT=… "
            "GATEWAY_PORT=… FLOWER_PORT=…"
        ) from None
    os.truncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def redis_answers(url: str) -> bool:
    """True when the server answers now. A server still loading its file does not yet."""
    with redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def require_redis(url: str) -> None:
    """The server that REDIS_URL names answers."""
    try:
        answers = redis_answers(url)
    except ValueError as error:
        raise SettingsError(f"Cannot start: REDIS_URL is no Redis URL ({error}).") from error
    if not answers:
        parts = urlsplit(url)  # without its password
        place = f"{parts.hostname}:{parts.port or 6379}" if parts.hostname else parts.path
        raise SettingsError(
            f"Cannot start: the Redis that REDIS_URL names ({place}) does not answer; start it, "
            "or unset REDIS_URL to use the embedded one."
        )


def http_answers(host: str, port: int, path: str) -> bool:
    """True when a GET is answered with anything below 500."""
    connection = http.client.HTTPConnection(host, port, timeout=1)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Parent:
    """The `make` above us, which does not pass SIGINT on when a script sends it to make alone."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._waits_for_ctrl_c = self._catches_sigint()

    def is_ending(self) -> bool:
        """It is gone, or has been told to end (seen on Linux only) and now waits for us."""
        if os.getppid() != self._pid:
            return True
        return self._waits_for_ctrl_c and not self._catches_sigint()

    def _catches_sigint(self) -> bool:
        try:
            status = Path(f"/proc/{self._pid}/status").read_text()
        except OSError:
            return False
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        return bool(int(fields["SigCgt"], 16) & 1 << (signal.SIGINT - 1))
