"""`make run`: real processes of a stand-in Procfile, started, killed and ended by the launcher."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from config.settings import PROJECT_ROOT
from tests.kit.built_page import FILES, build_page
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.stand_in import StandIn
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes


@pytest.fixture
def run(tmp_path: Path) -> Iterator[StandIn]:
    run = StandIn(tmp_path)
    yield run
    run.program.end()


def all_gone(processes: list[psutil.Process]) -> bool:
    """Nothing of them runs. A dead process that nobody has asked for its status is gone too."""
    return not [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_everything_starts_after_redis_and_the_migrations(run: StandIn) -> None:
    run.start()
    output = run.program.output()
    assert f"http://127.0.0.1:{run.web_port}/docs" in output
    assert "Ctrl-C stops everything" in output
    eventually(lambda: run.diary())
    assert run.diary()[0].endswith("release True")


def test_the_page_is_at_a_port_of_its_own_and_may_call_the_api(tmp_path: Path) -> None:
    run = StandIn(
        tmp_path, PAGES_DIR=str(build_page(tmp_path / "out")), CORS_ORIGINS="https://shop.example"
    )
    run.write_procfile("redis", "web", "frontend")
    page, api = (f"http://localhost:{port}" for port in (run.frontend_port, run.web_port))
    with httpx.Client(trust_env=False) as client:
        try:
            run.start()
            lines = run.program.output().partition("Everything is running.")[2].splitlines()
            assert lines[1].split("|")[1].split() == ["Inbox", page]
            assert client.get(page).text == FILES["index.html"]
            assert client.get(f"{page}/config.js").text == f'window.CRM_API = "{api}";\n'
            told = client.get(f"{api}/CORS_ORIGINS").text.split(",")
        finally:
            run.program.end()
    assert told == ["https://shop.example", page, page.replace("localhost", "127.0.0.1")]


@pytest.fixture
def hearing() -> Iterator[None]:
    """Whoever runs the tests may ignore SIGHUP, as `nohup` does; what they start would, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process_and_redis_last(run: StandIn, number: signal.Signals) -> None:
    run.start()
    eventually(run.diary)
    children = run.children()
    assert len(children) == 3
    run.program.send_signal(number)
    assert run.program.wait(15) == 0, run.program.output()
    assert all_gone(children)
    assert run.diary()[-1] == "worker ended with redis there"


def test_a_second_run_finds_its_data_again(run: StandIn) -> None:
    run.start()
    with run.redis() as client:
        client.set("kept", "yes")
    run.program.stop()
    run.again().start()
    with run.redis() as client:
        assert client.get("kept") == "yes"
        assert client.get("ended") == "1"


def test_a_process_that_dies_is_started_again(run: StandIn) -> None:
    run.start()
    eventually(run.diary)
    run.child("worker.py").kill()
    run.wait_for("worker was killed by signal 9; starting it again in 0.5 s")
    eventually(lambda: len(run.diary()) == 2)


def test_a_redis_that_is_killed_comes_back_with_its_data(run: StandIn) -> None:
    run.start()
    with run.redis() as client:
        client.set("kept", "yes")
        pid = client.info("server")["process_id"]
        eventually(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0)
    os.kill(pid, signal.SIGKILL)
    run.wait_for("redis was killed by signal 9")
    with run.redis() as client:
        eventually(lambda: client.get("kept") == "yes")


def test_a_process_that_will_not_end_is_killed_in_time(run: StandIn) -> None:
    run.write_procfile("redis", "web", "worker", "stubborn")
    run.start()
    run.wait_for("stubborn is up")
    children = run.children()
    run.program.send_signal(signal.SIGINT)
    assert run.program.wait(15) == 0
    assert all_gone(children)
    assert "stubborn did not end in time and is killed" in run.program.output()


def test_a_second_ctrl_c_hurries_and_leaves_nothing(run: StandIn) -> None:
    run.write_procfile("redis", "web", "stubborn")
    run.start()
    run.wait_for("stubborn is up")
    children = run.children()
    run.program.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        run.program.wait(1.5)
    run.program.send_signal(signal.SIGINT)
    assert run.program.wait(5) == 0
    assert all_gone(children)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of this death")
def test_nothing_outlives_a_launcher_killed_outright_and_the_next_run_starts(run: StandIn) -> None:
    run.start()
    children = run.children()
    os.kill(run.program.pid, signal.SIGKILL)
    run.program.wait()
    eventually(lambda: all_gone(children))
    run.again().start()


def test_a_reader_that_goes_away_ends_the_run(run: StandIn) -> None:
    with subprocess.Popen(
        run.command(),
        env=run.environment,
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as launcher:
        assert launcher.stdout is not None
        launcher.stdout.readline()
        children = psutil.Process(launcher.pid).children(recursive=True)
        launcher.stdout.close()
        assert launcher.wait(30) == 0
    assert all_gone(children)


def test_a_reader_that_stands_still_stops_nothing(run: StandIn) -> None:
    run.write_procfile("redis", "web", chatter="yes 'nobody reads this'")
    with subprocess.Popen(
        run.command(), env=run.environment, cwd=PROJECT_ROOT, stdout=subprocess.PIPE
    ) as launcher:
        eventually(lambda: socket.create_connection(("127.0.0.1", run.web_port)).close() is None)
        children = psutil.Process(launcher.pid).children(recursive=True)
        eventually(lambda: launcher.stdout and unread(launcher.stdout.fileno()) > 60_000)
        launcher.send_signal(signal.SIGINT)
        assert launcher.wait(15) == 0
    assert all_gone(children)


def unread(pipe: int) -> int:
    """Bytes that wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_make_passes_no_ctrl_c_on_yet_everything_ends(run: StandIn, tmp_path: Path) -> None:
    quoted = " ".join(f"'{part}'" for part in [*run.command(), "--end-with-parent"])
    (tmp_path / "Makefile").write_text(f"run:\n\t@cd '{PROJECT_ROOT}' && exec {quoted}\n")
    make = Program(
        ["make", "-C", tmp_path, "run"], environment=run.environment, log=run.program.log
    )
    make.start()
    try:
        run.wait_for("Everything is running")
        children = psutil.Process(make.pid).children(recursive=True)
        make.send_signal(signal.SIGINT)
        make.wait(60)
        assert all_gone(children)
    finally:
        make.end()


def test_a_port_that_is_taken_gets_one_sentence(run: StandIn) -> None:
    with socket.create_server(("127.0.0.1", run.web_port)):
        said = run.refuses()
    assert said == (
        f"Port {run.web_port} is taken, by another program or by a second `make run`; "
        f"stop that, or choose another one: make run WEB_PORT={run.web_port + 1}"
    )


def test_a_second_run_on_the_same_data_gets_one_sentence(run: StandIn) -> None:
    run.start()
    second = subprocess.run(
        run.command(), env=run.environment, cwd=PROJECT_ROOT, capture_output=True, text=True
    )
    assert second.returncode == 1
    assert second.stderr.startswith(f"`make run` is running already on {run.var_dir} (process ")
    assert len(second.stderr.splitlines()) == 1


def test_a_redis_with_a_broken_file_gets_one_sentence(run: StandIn) -> None:
    run.start()
    with run.redis() as client:
        client.set("kept", "yes")
    run.program.stop()
    for file in (run.var_dir / "redis").rglob("*.aof*"):
        file.write_text("this is no Redis file\n")
    said = run.again().refuses()
    assert said.startswith("Cannot start: Redis did not come up (")
    assert f"its log is {run.var_dir}/redis/redis.log" in said


def test_a_redis_that_is_named_but_silent_gets_one_sentence(tmp_path: Path) -> None:
    port = free_port()
    run = StandIn(tmp_path, REDIS_URL=f"redis://:secret@127.0.0.1:{port}/0")
    assert run.refuses() == (
        f"Cannot start: the Redis that REDIS_URL names (127.0.0.1:{port}) does not answer; "
        "start it, or unset REDIS_URL to use the embedded one."
    )


def test_migrations_that_fail_start_nothing(run: StandIn) -> None:
    run.write_procfile("redis", "web", "worker", release="false")
    assert "the migrations failed" in run.refuses()
    assert run.diary() == []


def test_a_program_that_is_missing_gets_one_sentence(run: StandIn) -> None:
    run.write_procfile("redis", web="no-such-program --now")
    assert run.refuses().startswith("Cannot start web (")
