"""Killing, stopping and freezing the Procfile's processes."""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from tests.soak.stage import Stage

Break = Callable[[Stage, float], None]
GONE_WITHIN = 25.0
"""Seconds after SIGTERM at which every process must be gone."""


def restart(name: str, number: signal.Signals) -> Break:
    """End it, leave it away for a while, start it again."""

    def strike(stage: Stage, seconds: float) -> None:
        program = stage.stack.programs[name]
        if number is signal.SIGKILL:
            program.kill()
        elif program.is_running():
            end_in_peace(stage, name)
        time.sleep(seconds)
        if not program.is_running():
            program.start()

    return strike


def end_in_peace(stage: Stage, name: str) -> float:
    """SIGTERM; returns the seconds it took, and notes it where that was too long."""
    program = stage.stack.programs[name]
    asked = time.monotonic()
    try:
        program.stop(GONE_WITHIN)
    except subprocess.TimeoutExpired:
        stage.slow_ends.append(name)
        program.kill()
    return time.monotonic() - asked


def stop_and_start(name: str) -> Break:
    """SIGSTOP and SIGCONT for the process and its children."""

    def strike(stage: Stage, seconds: float) -> None:
        program = stage.stack.programs[name]
        program.freeze()
        time.sleep(seconds)
        program.thaw()

    return strike


def kill_child(name: str) -> Break:
    """kill -9 one of its children; the master starts another."""

    def strike(stage: Stage, seconds: float) -> None:
        children = psutil.Process(stage.stack.programs[name].pid).children()
        if children:
            with suppress(psutil.NoSuchProcess):
                random.choice(children).kill()

    return strike
