"""Starts the processes of `make run`, restarts those that die, ends them with Redis last."""

import selectors
import time
from collections.abc import Callable, Iterable

from config.launch_checks import Parent
from config.launch_output import Output
from config.launch_process import Process

GRACE = 10.0
"""Seconds that processes have to finish what is in hand; with Redis' own it stays below 15."""
REDIS_GRACE = 3.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0
"""Seconds before a process that died is started again: doubled each time, up to the longest."""
HEALTHY_AFTER = 30.0
"""Seconds of life after which a death counts as the first again."""
LAST_READS = 100
ONE_KEYPRESS = 1.0
"""Seconds in which signals are one request: make passes SIGTERM on to us beside its sender."""


class Supervisor:
    """One loop over the processes' output, their deaths and the wish to stop."""

    def __init__(self, output: Output, parent: Parent | None = None) -> None:
        self._output = output
        self._parent = parent
        self._selector = selectors.DefaultSelector()
        self._running: list[Process] = []
        self._resting: dict[Process, float] = {}
        self._stop_requests = 0
        self._last_request = float("-inf")

    def request_stop(self, *_: object) -> None:
        """A signal handler: it only counts, the loop acts."""
        now = time.monotonic()
        self._stop_requests += now - self._last_request > ONE_KEYPRESS
        self._last_request = now

    def is_stopping(self) -> bool:
        """Asked to stop, nobody reads our output any more, or `make` ends."""
        parent_ends = self._parent is not None and self._parent.is_ending()
        return bool(self._stop_requests) or self._output.closed or parent_ends

    def start(self, process: Process) -> None:
        """Start it and follow it until it ends."""
        self._selector.register(process.start(), selectors.EVENT_READ, process)
        self._running.append(process)

    def wait(self, condition: Callable[[], bool]) -> bool:
        """Pass output on until the condition holds; False when told to stop before that."""
        while not self.is_stopping():
            if condition():
                return True
            self._pass_output_on(0.05)
        return False

    def wait_for_end(self, process: Process) -> int | None:
        """The exit status of a process that ends by itself; None when told to stop before."""
        if not self.wait(lambda: not process.is_running()):
            return None
        return self._let_go(process)

    def keep_alive(self, announce: Callable[[], bool]) -> None:
        """Restart what dies until told to stop; `announce` is called until it returns True."""
        announced = False
        while not self.is_stopping():
            self._pass_output_on(0.2)
            self._restart_dead()
            announced = announced or announce()

    def stop(self) -> None:
        """End everything but Redis together, then Redis. A second Ctrl-C ends the patience."""
        requests = max(1, self._stop_requests)
        self._end(
            [p for p in self._running if p.name != "redis"],
            grace=GRACE,
            is_urgent=lambda: self._stop_requests > requests,
        )
        self._end(list(self._running), grace=REDIS_GRACE, is_urgent=lambda: False)
        self._selector.close()

    def _end(
        self, processes: list[Process], *, grace: float, is_urgent: Callable[[], bool]
    ) -> None:
        for process in processes:
            process.ask_to_end()
        give_up = time.monotonic() + grace
        while _any_running(processes) and time.monotonic() < give_up and not is_urgent():
            self._pass_output_on(0.05)
        for process in processes:
            if process.is_running():
                self._output.line("run", f"{process.name} did not end in time and is killed")
                process.kill()
            self._let_go(process)

    def _restart_dead(self) -> None:
        for process in [p for p in self._running if not p.is_running()]:
            lived, code = process.seconds_since_start(), self._let_go(process)
            process.deaths = 1 if lived > HEALTHY_AFTER else process.deaths + 1
            pause = min(FIRST_PAUSE * 2.0 ** min(process.deaths - 1, 10), LONGEST_PAUSE)
            self._resting[process] = time.monotonic() + pause
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            self._output.line("run", f"{process.name} {how}; starting it again in {pause:g} s")
        for process, due in list(self._resting.items()):
            if due <= time.monotonic():
                del self._resting[process]
                self.start(process)

    def _let_go(self, process: Process) -> int:
        """Print the last words of a process that has ended; returns its exit status."""
        descriptor = process.output
        # A bounded number of reads: an orphan of it may still write to the same pipe.
        for _ in range(LAST_READS):
            if not self._print_lines(process):
                break
        if descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)
        self._running.remove(process)
        return process.close()

    def _pass_output_on(self, seconds: float) -> None:
        if not self._selector.get_map():
            time.sleep(seconds)
        for key, _ in self._selector.select(seconds):
            if self._print_lines(key.data) is None:
                self._selector.unregister(key.fd)

    def _print_lines(self, process: Process) -> list[str] | None:
        lines = process.read_lines()
        for line in lines or []:
            self._output.line(process.name, line)
        return lines


def _any_running(processes: Iterable[Process]) -> bool:
    return any(process.is_running() for process in processes)
