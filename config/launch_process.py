"""One line of a Procfile as a running process, in a session of its own."""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from honcho.environ import parse_procfile

from config.settings import PROJECT_ROOT, SettingsError

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def read_procfiles(*paths: Path) -> dict[str, list[str]]:
    """The command of every process, by name, in the files' order."""
    commands: dict[str, list[str]] = {}
    for path in paths:
        for name, command in parse_procfile(path.read_text()).processes.items():
            commands[name] = shlex.split(command)
    return commands


class Process:
    """A child that can be started again. Use it from the main thread: see `_end_with_launcher`."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self.deaths = 0
        """Deaths in a row, each after a short life."""
        self.output = -1
        """The descriptor that its output is read from, while it runs."""
        self._command = command
        self._environment = dict(environment)
        self._popen: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._unfinished = b""

    def start(self) -> int:
        """Start it; returns the descriptor of its output, which is read without waiting."""
        self.output, writing_end = os.pipe()
        os.set_blocking(self.output, False)
        try:
            # In a session of its own the terminal's Ctrl-C reaches the launcher only, which then
            # ends the processes in the right order.
            self._popen = subprocess.Popen(
                self._command,
                cwd=PROJECT_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=writing_end,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_launcher,
            )
        except OSError as error:
            raise SettingsError(f"Cannot start {self.name} ({error}); run: make setup") from error
        finally:
            os.close(writing_end)
        self._started = time.monotonic()
        return self.output

    def read_lines(self) -> list[str] | None:
        """Whole lines that it wrote since the last call; None when it will write no more."""
        try:
            data = os.read(self.output, 65536)
        except BlockingIOError:
            return []
        if not data:
            data = self._unfinished and b"\n"
        *lines, self._unfinished = (self._unfinished + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines] if data else None

    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def seconds_since_start(self) -> float:
        return time.monotonic() - self._started

    def ask_to_end(self) -> None:
        """SIGTERM: finish what is in hand."""
        if self._popen is not None:
            self._popen.terminate()

    def kill(self) -> None:
        """End it and everything it started, at once."""
        if self._popen is not None and self._popen.poll() is None:
            # Its group may be gone already when it left it by itself.
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()

    def close(self) -> int:
        """Let go of a process that has ended; returns its status, negative for a signal."""
        assert self._popen is not None
        os.close(self.output)
        self.output = -1
        self._unfinished = b""
        return self._popen.wait()


def _end_with_launcher() -> None:
    """In the child, on Linux only: get SIGTERM when the launcher itself is killed outright.

    The kernel watches the thread that forked, so processes are started from the main thread.
    """
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
