"""A production without a good secret: each process ends at once and says in a sentence why."""

from pathlib import Path

import pytest

from tests.kit.ports import free_port
from tests.kit.stack import procfile_program

pytestmark = pytest.mark.processes
GOOD = {
    "APP_ENV": "production", "INTERNAL_TOKEN": "i" * 32, "SECRET_KEY": "s" * 32,
    "HOST": "127.0.0.1", "GATEWAY_DRIVER": "simulator",
}  # fmt: skip
SHORT = "x" * 31


@pytest.mark.parametrize(
    ("name", "variable", "value"),
    [
        ("release", "SECRET_KEY", ""),
        ("worker", "INTERNAL_TOKEN", ""),
        ("beat", "FLASK_DEBUG", "1"),
        ("gateway", "INTERNAL_TOKEN", SHORT),
        ("web", "SECRET_KEY", ""),
        ("web", "SECRET_KEY", SHORT),
        ("web", "INTERNAL_TOKEN", ""),
        ("web", "INTERNAL_TOKEN", SHORT),
        ("web", "INTERNAL_TOKEN", f"{'i' * 32},{SHORT}"),
        ("web", "FLASK_DEBUG", "1"),
    ],
    ids=lambda value: value[:14],
)
def test_it_does_not_start_and_names_what_is_wrong(
    tmp_path: Path, name: str, variable: str, value: str
) -> None:
    data = tmp_path / "var"
    environment = GOOD | {"VAR_DIR": str(data), "PORT": str(free_port()), variable: value}
    program = procfile_program(name, environment=environment, log=tmp_path / "log")
    program.start()
    try:
        assert program.wait(60) > 0
    finally:
        program.end()
    (line,) = program.output().splitlines()
    assert line.startswith(f"Cannot start: {variable} ")
    assert SHORT not in line
    assert not data.exists(), "it began to work before it looked"
