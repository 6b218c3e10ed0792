"""The real gateway with the real library, and WhatsApp out of reach."""

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import psycopg
import pytest

from config.settings import PROJECT_ROOT
from tests.kit.ports import free_port
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
HIDE = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda cls, name, *rest: None if name == "neonize" else find(name, *rest)
)
"""


@pytest.fixture
def out_of_reach() -> dict[str, str]:
    """A proxy that nobody serves: no dial leaves this machine."""
    return {"GATEWAY_DRIVER": "web", "HTTPS_PROXY": f"http://127.0.0.1:{free_port()}"}


@pytest.fixture
def without_neonize(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "sitecustomize.py").write_text(HIDE)
    return {"GATEWAY_DRIVER": "web", "PYTHONPATH": str(tmp_path / "hide")}


def has_loaded(process: psutil.Process) -> bool:
    return any("neonize" in Path(mapped.path).name for mapped in process.memory_maps())


def test_the_real_library_runs_in_the_worker_only_and_ends_in_time(process, protos, out_of_reach):
    process.launch(**out_of_reach)
    eventually(lambda: "whatsapp_line_ended" in process.output(), timeout=60)
    status = process.status()
    assert (status["state"], status["driver"], status["ready"]) == ("starting", "web", False)
    assert process.send(1, "60123456789", "hello").status_code == 503
    master, worker = process.pids()
    assert has_loaded(worker) and not has_loaded(master)
    assert (process.folder / "whatsapp" / "session.sqlite3").exists()
    started = time.monotonic()
    assert process.terminate() == 0
    assert time.monotonic() - started < 7


def test_the_session_is_kept_in_postgresql_where_the_store_is(
    process, protos, out_of_reach, postgres
):
    url = postgres.create_database()
    process.launch(**out_of_reach, GATEWAY_DATABASE_URL=url)
    eventually(lambda: "whatsapp_line_ended" in process.output(), timeout=60)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM whatsmeow_device").fetchone() == (0,)
    assert not (process.folder / "whatsapp").exists()


def test_another_driver_never_loads_it(process):
    process.start()
    assert not any(has_loaded(running) for running in process.pids())


def test_without_neonize_the_gateway_says_which_file_to_install(process, without_neonize):
    assert process.launch(**without_neonize).wait(30) != 0
    assert "-r requirements-whatsapp.txt" in process.output()
    assert "Traceback" not in process.output()


def test_without_neonize_make_run_says_so_once_and_starts_nothing(tmp_path, without_neonize):
    environment = {"PATH": os.environ["PATH"], "VAR_DIR": str(tmp_path), **without_neonize}
    ended = subprocess.run(
        [sys.executable, "-m", "config.launcher"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode != 0
    assert ended.stderr.count("requirements-whatsapp.txt") == 1
    assert "starting" not in ended.stdout
