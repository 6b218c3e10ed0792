"""Where Redis is, and how the embedded one is configured."""

import dataclasses
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from kombu import Connection

from config import redis as redis_module
from config.redis import broker_url, find_server, lock_data, redis_url, socket_path, write_config
from config.settings import Settings, SettingsError, load_settings
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.waiting import eventually


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return dataclasses.replace(load_settings(), var_dir=tmp_path / "var", redis_url=None)


@pytest.fixture
def socket_server(tmp_path: Path) -> Iterator[str]:
    """The URL of a real server on a socket whose path needs quoting."""
    directory = tmp_path / "a folder, 100% odd"
    socket = directory / "redis.sock"
    config = write_config(directory, socket=socket)
    program = Program([find_server(), config], environment={}, log=tmp_path / "output.log")
    program.start()
    try:
        eventually(socket.is_socket)
        yield f"unix://{quote(str(socket))}"
    finally:
        program.end()


def test_the_server_that_the_environment_names_wins(settings: Settings) -> None:
    named = dataclasses.replace(settings, redis_url="rediss://:secret@queue.example:6380/1")
    assert redis_url(named) == "rediss://:secret@queue.example:6380/1"


def test_without_one_the_embedded_server_is_reached_through_its_socket(settings: Settings) -> None:
    assert redis_url(settings) == f"unix://{settings.var_dir}/redis/redis.sock"


def test_a_folder_too_deep_for_a_socket_gets_a_short_path_of_its_own(settings: Settings) -> None:
    deep, deeper = settings.var_dir / ("d" * 100), settings.var_dir / ("e" * 100)
    assert len(str(socket_path(deep))) < 100
    assert socket_path(deep) == socket_path(deep)
    assert socket_path(deep) != socket_path(deeper)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://localhost:6379/2", "redis://localhost:6379/2"),
        ("rediss://:p@host:6380/0?a=b", "rediss://:p@host:6380/0?a=b"),
        ("unix:///var/r.sock", "redis+socket:///var/r.sock?virtual_host=0"),
        ("unix://:p@/var/r.sock?db=3", "redis+socket://:p@/var/r.sock?virtual_host=3"),
    ],
)
def test_kombu_gets_the_same_server_in_its_own_spelling(url: str, expected: str) -> None:
    assert broker_url(url) == expected


def test_both_libraries_reach_a_server_on_a_socket(socket_server: str) -> None:
    with redis.Redis.from_url(socket_server) as client:
        assert client.ping()
    with Connection(broker_url(socket_server)) as broker:
        broker.ensure_connection(max_retries=1)


def test_the_embedded_server_has_no_port_and_keeps_strangers_out(socket_server: str) -> None:
    with redis.Redis.from_url(socket_server, decode_responses=True) as client:
        wanted = ("port", "maxmemory-policy", "appendonly", "appendfsync", "save", "unixsocket")
        config = {name: client.config_get(name)[name] for name in wanted}
    mode = Path(config.pop("unixsocket")).stat().st_mode
    assert stat.S_IMODE(mode) == 0o700
    assert config == {
        "port": "0",
        "maxmemory-policy": "noeviction",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
    }


def test_a_broken_server_on_the_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_server() != broken


def test_every_process_chooses_the_same_server_whatever_its_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = find_server()
    monkeypatch.setenv("PATH", str(Path(sys.prefix) / "bin"), prepend=":")
    assert find_server() == chosen


def test_a_machine_without_a_server_is_told_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(redis_module, "CARRIERS", (("no_such_package", "redis-server"),))
    with pytest.raises(SettingsError, match="no Redis server found; run `make setup`"):
        find_server()


def test_two_servers_cannot_use_one_folder(tmp_path: Path) -> None:
    lock_data(tmp_path)
    with pytest.raises(SettingsError, match="still uses"):
        lock_data(tmp_path, patience=0)


def test_data_survives_a_kill_of_the_server(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    try:
        server.start()
        with server.client() as client:
            client.set("kept", "yes")
        server.stop()
        server.start()
        server.restart()
        with server.client() as client:
            assert client.get("kept") == "yes"
        server.restart(keep_data=False)
        with server.client() as client:
            assert client.get("kept") is None
    finally:
        server.end()
