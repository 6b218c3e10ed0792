"""A real program of our own in a test: started, frozen, killed and ended by its process id."""

import os
import pwd
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.kit.leaks import known as known_leaks


def as_user(name: str | None) -> dict[str, Any]:
    """Popen's arguments for running as somebody else; None stays who we are."""
    if name is None:
        return {}
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class Program:
    """One program in a process group of its own, with exactly the environment it is given.

    What it logs is searched for the tests' secrets, unless it is not ours.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        log: Path,
        directory: Path | None = None,
        user: str | None = None,
        is_ours: bool = True,
    ) -> None:
        self.log = log
        self._is_ours = is_ours
        self._command = [str(part) for part in command]
        self._environment = dict(environment)
        self._directory = directory
        self._user = user
        self._popen: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._popen is not None, "not started"
        return self._popen.pid

    def start(self) -> None:
        """Start it; its output is appended to `log`."""
        assert not self.is_running(), f"{self._command[0]} runs already"
        if self._is_ours:
            known_leaks.watch(self.log)
            known_leaks.remember_settings(self._environment)
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                self._command,
                env=self._environment,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_user(self._user),
            )

    def is_running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    def output(self) -> str:
        """Everything written so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal, to the one process and not to its children."""
        assert self._popen is not None, "not started"
        self._popen.send_signal(number)

    def wait(self, timeout: float = 20.0) -> int:
        """Its exit status, negative for a signal."""
        assert self._popen is not None, "not started"
        return self._popen.wait(timeout)

    def ask_to_end(self) -> None:
        """SIGTERM, to the one process; wakes it up first where it was frozen."""
        self.thaw()
        if self._popen is not None:
            self._popen.terminate()

    def stop(self, timeout: float = 20.0) -> int:
        """SIGTERM, and wait."""
        self.ask_to_end()
        return self.wait(timeout)

    def kill(self) -> None:
        """SIGKILL for it and all that it started: what a power cut does."""
        self._signal_group(signal.SIGKILL)
        if self._popen is not None:
            self._popen.wait()

    def freeze(self) -> None:
        """Stop it in its tracks; its connections stay open and silent."""
        self._signal_group(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_group(signal.SIGCONT)

    def end(self, timeout: float = 15.0) -> None:
        """Make sure that nothing of it is left, asking first. For teardown."""
        if self.is_running():
            try:
                self.stop(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        if self._popen is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, number)
