"""Only one process at a time works on the store."""

import fcntl
import threading
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

LOOK_AGAIN = 0.1


class OnlyProcess:
    """A lock on a file, which the kernel takes back however its holder ends.

    Without it a killed master's orphan could still be sending what its successor resumes.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a")

    def acquire(self, stopping: threading.Event) -> bool:
        """Wait until the other process is gone; False where we are stopped first."""
        waited = False
        while not stopping.is_set():
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waited:
                    log.warning("waiting_for_the_other_process")
                    waited = True
                stopping.wait(LOOK_AGAIN)
            else:
                return True
        return False

    def release(self) -> None:
        self._file.close()
