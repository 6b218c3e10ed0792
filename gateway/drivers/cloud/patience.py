"""How long a send waits before its next try, and when the whole number waits."""

import threading
import time
from collections import OrderedDict

from gateway.drivers.base import DriverError, PermanentError, TemporaryError
from gateway.drivers.cloud.faults import AgainError
from gateway.drivers.events import Outgoing

MOST_REMEMBERED = 10_000
Key = tuple[int, int]


class Patience:
    """Remembers failed tries while the process lives; a restart begins with short pauses again."""

    def __init__(self, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._most_remembered = most_remembered
        self._lock = threading.Lock()
        self._tries: OrderedDict[Key, int] = OrderedDict()
        self._holds = 0
        self._held_until = 0.0

    def require_open(self) -> None:
        """Raises TemporaryError while the whole number has to wait."""
        pause = self._held_until - time.monotonic()
        if pause > 0:
            raise TemporaryError("the number has to wait", delay=pause)

    def succeeded(self, outgoing: Outgoing) -> None:
        with self._lock:
            self._tries.pop(_key(outgoing), None)
            self._holds = 0

    def judge(self, outgoing: Outgoing, error: AgainError) -> DriverError:
        """The same error with a pause that fits how often this has failed, or a final one."""
        with self._lock:
            if error.holds_number:
                return TemporaryError(str(error), delay=self._hold(error))
            tries = self._count(_key(outgoing))
        if error.most_tries is not None and tries >= error.most_tries:
            return PermanentError("tries_used_up", f"{error}, {tries} times.", retryable=True)
        return TemporaryError(str(error), delay=_doubled(error, tries))

    def _hold(self, error: AgainError) -> float:
        """Chats that hear it together count as one."""
        pause = self._held_until - time.monotonic()
        if pause <= 0:
            self._holds += 1
            pause = _doubled(error, self._holds)
            self._held_until = time.monotonic() + pause
        return pause

    def _count(self, key: Key) -> int:
        tries = self._tries.pop(key, 0) + 1
        self._tries[key] = tries
        if len(self._tries) > self._most_remembered:
            self._tries.popitem(last=False)
        return tries


def _key(outgoing: Outgoing) -> Key:
    return outgoing.backend_message_id, outgoing.attempt


def _doubled(error: AgainError, times: int) -> float:
    return min(error.longest, error.delay * 2.0 ** min(times - 1, 30))
