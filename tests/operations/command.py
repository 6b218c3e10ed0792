"""The operator's commands as they are run: own processes, with only this environment."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.settings import PROJECT_ROOT
from tests.kit.stack import PATH


@dataclass(frozen=True)
class Result:
    status: int
    output: str


def run(name: str, *arguments: str, environment: Mapping[str, str]) -> Result:
    """`run("backup", file, environment=…)`."""
    return _result([sys.executable, "-m", f"operations.{name}", *arguments], environment)


def make(target: str, environment: Mapping[str, str], **variables: object) -> Result:
    """`make("backup", environment, FILE=file)`, as an operator says it; all is set up already."""
    told = [f"{name}={value}" for name, value in variables.items()]
    binaries = f"BIN={Path(sys.executable).parent}"
    return _result(["make", "--assume-old=setup", binaries, target, *told], environment)


def _result(command: list[str], environment: Mapping[str, str]) -> Result:
    done = subprocess.run(
        command,
        env={"PATH": PATH, **environment},
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
    )
    assert "Traceback" not in done.stdout, done.stdout
    return Result(done.returncode, done.stdout)
