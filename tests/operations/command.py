"""The operator's commands as they are run: own processes, with only this environment."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from config.settings import PROJECT_ROOT
from tests.kit.stack import PATH


@dataclass(frozen=True)
class Result:
    status: int
    output: str


def run(name: str, *arguments: str, environment: Mapping[str, str]) -> Result:
    """`run("backup", file, environment=…)`."""
    done = subprocess.run(
        [sys.executable, "-m", f"operations.{name}", *arguments],
        env={"PATH": PATH, **environment},
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
    )
    assert "Traceback" not in done.stdout, done.stdout
    return Result(done.returncode, done.stdout)
