"""The kit itself: what other tests stand on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import httpx
import psutil
import psycopg
import pytest

from config.settings import PROJECT_ROOT
from tests.kit.ports import free_port
from tests.kit.postgres import PostgresServer
from tests.kit.programs import Program
from tests.kit.redis_server import RedisServer
from tests.kit.stack import Stack, procfile_program
from tests.kit.waiting import eventually


def test_a_postgresql_gives_each_asker_an_empty_database(postgres: PostgresServer) -> None:
    first, second = postgres.create_database(), postgres.create_database()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE kept (n int)")
    with psycopg.connect(second) as connection:
        found = connection.execute("SELECT 1 FROM pg_tables WHERE tablename = 'kept'")
        assert found.fetchone() is None


def test_a_database_url_is_empty_and_of_its_kind(database_url: str) -> None:
    assert database_url.startswith(("sqlite:///", "postgresql://"))


def test_a_program_gets_only_the_environment_it_is_given(tmp_path: Path) -> None:
    program = Program(
        [sys.executable, "-c", "import os; print(sorted(os.environ))"],
        environment={"GIVEN": "1", "LC_ALL": "C"},
        log=tmp_path / "log",
    )
    program.start()
    assert program.wait() == 0
    assert program.output() == "['GIVEN', 'LC_ALL']\n"


def test_a_line_of_a_procfile_runs_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: env WHO=web python -c 'import os; print(os.environ)'")
    program = procfile_program(
        "web", environment={"PORT": "1"}, log=tmp_path / "log", procfile=tmp_path / "Procfile"
    )
    program.start()
    assert program.wait() == 0
    assert "'WHO': 'web'" in program.output()
    assert "'PORT': '1'" in program.output()


def test_a_program_and_all_that_it_started_end_together(tmp_path: Path) -> None:
    child = "import time; time.sleep(600)"
    program = Program(
        [sys.executable, "-c", f"import subprocess as s, sys; p = s.Popen([sys.executable, '-c', "
         f"'{child}']); print(p.pid, flush=True); p.wait()"],
        environment={},
        log=tmp_path / "log",
    )  # fmt: skip
    program.start()
    pid = int(eventually(program.output))
    program.freeze()
    program.end(timeout=1)
    eventually(lambda: not pid_runs(pid))


def pid_runs(pid: int) -> bool:
    """False also for a dead process that nobody has asked for its status."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_frozen_redis_is_silent_until_it_thaws(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    try:
        server.start()
        server.freeze()
        with pytest.raises(AssertionError, match="not within"):
            eventually(server.answers, timeout=0.1)
        server.thaw()
        eventually(server.answers)
    finally:
        server.end()


def test_a_stack_starts_one_process_that_answers(make_stack: Callable[..., Stack]) -> None:
    stack = make_stack(settings={"LOG_LEVEL": "WARNING"})
    stack.var_dir.mkdir(parents=True)
    stack.restart("gateway")
    assert httpx.get(stack.url("gateway", "/healthz")).status_code == 200
    stack.programs["gateway"].send_signal(signal.SIGTERM)
    stack.programs["gateway"].wait()


def test_a_port_is_never_given_twice() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50


def test_the_settings_of_whoever_runs_the_tests_stay_outside() -> None:
    assert "DATABASE_URL" not in os.environ
    assert not Path(os.environ["VAR_DIR"]).is_relative_to(PROJECT_ROOT)


def test_what_a_machine_lacks_is_said_in_one_line(
    lacking: Callable[[str], NoReturn], pytestconfig: pytest.Config
) -> None:
    expected = (
        pytest.fail.Exception if pytestconfig.getoption("complete") else pytest.skip.Exception
    )
    with pytest.raises(expected, match="no browser"):
        lacking("no browser here")


def test_a_port_is_not_given_again_while_its_server_is_away() -> None:
    """To no other test process: it would be taken for the server that is to come back."""
    ours = free_port()
    ask = (
        "import itertools; from tests.kit import ports; "
        f"ports._numbers = itertools.count({ours} - ports.FIRST); print(ports.free_port())"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > ours
