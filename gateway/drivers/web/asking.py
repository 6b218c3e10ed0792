"""Asking WhatsApp something, and not waiting for ever."""

import threading
from collections.abc import Callable

from gateway.drivers.base import TemporaryError
from gateway.drivers.web.line import LineError

PAUSE = 5.0


class Asker:
    """One question at a time: one that is never answered holds one thread, not one each time."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._busy: threading.Thread | None = None

    def ask(self, question: Callable[[], None]) -> None:
        """Raises TemporaryError where no answer came in time."""
        if self._busy is not None and self._busy.is_alive():
            raise TemporaryError("WhatsApp has not answered the last question.", delay=PAUSE)
        problems: list[LineError] = []

        def run() -> None:
            try:
                question()
            except LineError as error:
                problems.append(error)

        self._busy = threading.Thread(target=run, name="whatsapp-question", daemon=True)
        self._busy.start()
        self._busy.join(self._patience)
        if self._busy.is_alive():
            raise TemporaryError("WhatsApp does not answer.", delay=PAUSE)
        if problems:
            raise TemporaryError(str(problems[0]), delay=PAUSE)
