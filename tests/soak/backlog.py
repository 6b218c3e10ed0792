"""How many messages wait, asked at most once a second."""

import threading
import time

from sqlalchemy.exc import DBAPIError

from tests.soak.records import Database

MOST_WAITING = 400
"""More and the agents pause: a machine that delivers slowly is to be slow, not flooded."""
WAITING = "SELECT count(*) FROM messages WHERE dispatch IN ('queued', 'sending', 'accepted')"


class Backlog:
    """Shared by all agents."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting, self._asked_at = 0, 0.0

    def is_deep(self) -> bool:
        with self._lock:
            if time.monotonic() - self._asked_at > 1:
                self._asked_at = time.monotonic()
                self._ask()
            return self._waiting > MOST_WAITING

    def _ask(self) -> None:
        try:
            self._waiting = self._database.count(WAITING)
        except DBAPIError:
            return  # Locked or away, as ordered: what was known last stands.
