"""The one place `make run` prints from: lines with names in front, never waiting for the reader."""

import io
import queue
import sys
import threading
from collections.abc import Iterator
from datetime import datetime

from honcho.colour import get_colours
from honcho.printer import Message, Printer

MAX_WAITING = 10_000
"""Lines kept for a reader that is slow. Beyond it new ones are dropped: a paused pager must not
stop the processes behind it."""


class Output:
    """Prints from a thread of its own, so that the supervisor never waits for a terminal."""

    def __init__(self, names: list[str]) -> None:
        self.closed = False
        """The reader went away, as with `make run | head`."""
        self._raw = io.FileIO(sys.stdout.fileno(), "w", closefd=False)
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MAX_WAITING)
        colours: Iterator[str] = get_colours()
        self._colours = dict(zip(names, colours, strict=False))
        self._printer = Printer(output=self, width=max(map(len, names)))
        self._thread = threading.Thread(target=self._print_all, daemon=True)
        self._thread.start()

    def line(self, name: str, text: str) -> None:
        """Print one line of a process, or of the launcher under the name `run`."""
        colour = self._colours.get(name)
        self._printer.write(Message("line", text, datetime.now(), name, colour))

    def finish(self) -> None:
        """Give the reader a moment to take what is left."""
        self._offer(None)
        self._thread.join(timeout=0.5)

    def write(self, text: str) -> None:
        """For honcho's printer, which takes this object for a file."""
        self._offer(text.encode(errors="replace"))

    def flush(self) -> None:
        """For honcho's printer: there is nothing to flush."""

    def isatty(self) -> bool:
        """For honcho's printer, which colours names on a terminal only."""
        return self._raw.isatty()

    def _offer(self, data: bytes | None) -> None:
        if not self._waiting.full():  # the only thread that puts
            self._waiting.put(data)

    def _print_all(self) -> None:
        while (data := self._waiting.get()) is not None:
            try:
                while data:
                    data = data[self._raw.write(data) :]
            except OSError:
                self.closed = True
                return
