"""Who called a moment ago, so that not every request asks the database who that is."""

import threading
import time
from collections.abc import Callable

from crm.actors import ActorKind
from crm.credentials import hash_secret
from crm.queries.callers import Caller

REMEMBERED = 5.0
"""Seconds, in each process: for so long it may not know what another one has been told."""
MOST_REMEMBERED = 10_000
USE_NOTED_EVERY = 600.0


class KnownCallers:
    """Callers that were looked up a moment ago, each as what it is: in a session, or with a token.

    Or a session's secret, which its cookie holds, would do as a token for as long.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[ActorKind, str], tuple[Caller, float]] = {}
        self._noted: dict[str, float] = {}
        self._forgotten = 0

    def find(
        self,
        secret: str,
        look_up: Callable[[str], Caller | None],
        *,
        kind: ActorKind,
        anew: bool = False,
    ) -> Caller | None:
        """The caller with this secret, from memory (but for `anew`) or from the database."""
        proof = hash_secret(secret)
        known = self._known.get((kind, proof))
        if known and known[1] > time.monotonic() and not anew:
            return known[0]
        forgotten, caller = self._forgotten, look_up(proof)
        with self._lock:
            if caller is None:
                self._known.pop((kind, proof), None)
            elif self._forgotten == forgotten:  # else the row may be of before somebody left
                self._remember(caller)
        return caller

    def still_knows(self, caller: Caller) -> bool:
        """Whether this very caller was looked up a moment ago."""
        known = self._known.get((caller.actor.kind, caller.proof))
        return known is not None and known[0] is caller and known[1] > time.monotonic()

    def forget(self) -> None:
        """Ask the database again about everybody: somebody just left."""
        with self._lock:
            self._forgotten += 1
            self._known.clear()

    def is_use_due(self, caller: Caller) -> bool:
        """Whether a token's use was not noted for a while; asked, it counts as noted."""
        moment = time.monotonic()
        with self._lock:
            if self._noted.get(caller.proof, 0.0) > moment:
                return False
            self._noted[caller.proof] = moment + USE_NOTED_EVERY
        return True

    def _remember(self, caller: Caller) -> None:
        if len(self._known) >= MOST_REMEMBERED:
            self._known.clear()
        key = caller.actor.kind, caller.proof
        self._known[key] = caller, time.monotonic() + REMEMBERED


known_callers = KnownCallers()
"""This process's callers."""
