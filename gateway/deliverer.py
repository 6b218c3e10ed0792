"""Brings callbacks to the backend: in order per chat, again and again until it takes them."""

import json
import time
from dataclasses import dataclass

import httpx
import structlog

from config.settings import Settings
from gateway.backoff import parse_retry_after, pause_before
from gateway.clock import now
from gateway.lanes import Lanes
from gateway.notices import FAILED_PATH, MEDIA_PATH, PHOTO_PATH, STATUS_PATH
from gateway.store.callbacks import (
    PendingCallback,
    bury_callback,
    find_pending,
    postpone_callback,
    remove_callbacks,
)
from gateway.store.database import Store
from gateway.store.lanes import DueChats, find_due_chats
from gateway.store.tables import CallbackState, callbacks

log = structlog.get_logger(__name__)

THREADS = 4
"""More only fight for the interpreter: 8 bring 450 callbacks a second, 3 bring 800."""
BATCH = 32
"""Callbacks of one chat between two commits: at most so many are repeated after a kill -9."""
TIMEOUT = httpx.Timeout(10.0, connect=2.0)
RETRYABLE_REFUSALS = {401, 403, 408, 425, 429}
WHOLE_BACKEND = {401, 403, 429, 503}
"""Answers that the next callback would hear too: ask once in a while, not once per chat."""
UNKNOWN_DOOR = {404, 405}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the backend made of a callback; `status` None: there was no answer."""

    status: int | None
    error: str
    retry_after: float = 0.0
    whole_backend: bool = False

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_refused(self) -> bool:
        """Refused for good, so that the next one may go on."""
        if self.status is None or self.status in RETRYABLE_REFUSALS:
            return False
        return 400 <= self.status < 500


class Gate:
    """Closed for a while when the backend as a whole takes nothing."""

    def __init__(self) -> None:
        self._opens_at = 0.0
        self._failures = 0

    def remaining(self) -> float:
        return max(0.0, self._opens_at - time.monotonic())

    def close(self, verdict: Verdict) -> None:
        if self.remaining():
            return  # Threads that fail together count as one failure.
        self._failures += 1
        if self._failures == 1:
            log.warning("backend_away", status=verdict.status, error=verdict.error)
        pause = max(pause_before(self._failures), verdict.retry_after)
        self._opens_at = time.monotonic() + pause

    def open(self) -> None:
        if self._failures:
            self._failures = 0
            log.info("backend_back")


class Deliverer:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._gate = Gate()
        self._client = _make_client(settings)
        self._lanes = Lanes("deliverer", self._find, handle=self._deliver, threads=THREADS)
        self.wake = self._lanes.wake
        self.start = self._lanes.start

    def stop(self, timeout: float) -> None:
        self._lanes.stop(timeout)
        self._client.close()

    def _find(self, limit: int) -> DueChats:
        if pause := self._gate.remaining():
            return DueChats([], pause)
        with self._store.reading() as connection:
            return find_due_chats(
                connection, callbacks, state=CallbackState.PENDING, at=now(), limit=limit
            )

    def _deliver(self, chat: str) -> None:
        """Deliver this chat's oldest callbacks until one has to wait."""
        if self._gate.remaining():
            return
        with self._store.reading() as connection:
            batch = find_pending(connection, chat, limit=BATCH)
        done: list[int] = []
        try:
            for callback in batch:
                if callback.path == FAILED_PATH:
                    # An agent may order it again at once. What came before it, the map perhaps,
                    # must not be repeated after that: it would be taken for the new attempt's.
                    self._forget(done)
                    done.clear()
                verdict = self._post(callback)
                if not verdict.is_delivered:
                    self._keep(callback, verdict)
                    return
                done.append(callback.id)
        finally:
            self._forget(done)

    def _forget(self, delivered: list[int]) -> None:
        if delivered:
            with self._store.transaction() as connection:
                remove_callbacks(connection, delivered)

    def _keep(self, callback: PendingCallback, verdict: Verdict) -> None:
        """Put aside what was refused for good, try the rest again later."""
        facts = {"callback_id": callback.id, "kind": callback.path, "status": verdict.status}
        status, error = verdict.status, verdict.error
        if verdict.is_refused and _is_not_missed(callback, verdict):
            log.info("callback_dropped", **facts)
            self._forget([callback.id])
            return
        if verdict.is_refused and status is not None:
            log.error("callback_dead", request_id=callback.request_id, **facts)
            with self._store.transaction() as connection:
                bury_callback(connection, callback.id, status=status, error=error)
            return
        log.info("callback_postponed", error=error, tries=callback.tries + 1, **facts)
        if verdict.whole_backend:
            self._gate.close(verdict)
        due_at = now() + max(pause_before(callback.tries + 1), verdict.retry_after)
        with self._store.transaction() as connection:
            postpone_callback(connection, callback.id, due_at=due_at, status=status, error=error)

    def _post(self, callback: PendingCallback) -> Verdict:
        headers = {"Content-Type": "application/json", "X-Request-ID": callback.request_id}
        try:
            answer = self._client.post(
                callback.path, content=callback.body.encode(), headers=headers
            )
        except httpx.HTTPError as error:
            unreachable = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            return Verdict(status=None, error=type(error).__name__, whole_backend=unreachable)
        if answer.is_success:
            self._gate.open()
        return Verdict(
            status=answer.status_code,
            error=f"{answer.status_code} {answer.reason_phrase}".strip(),
            retry_after=parse_retry_after(answer.headers.get("Retry-After")),
            whole_backend=answer.status_code in WHOLE_BACKEND,
        )


def _is_not_missed(callback: PendingCallback, verdict: Verdict) -> bool:
    """Whether a backend that knows no more than the seed's loses nothing: no dead letter of it."""
    match callback.path:
        case path if path == STATUS_PATH:
            return True
        case path if path == MEDIA_PATH:
            return verdict.status in UNKNOWN_DOOR
        case path if path == PHOTO_PATH:
            # It knows pictures by `photo_url` only; or it does not know the customer yet.
            return verdict.status in {404, 422} and "media_id" in json.loads(callback.body)
    return False


def _make_client(settings: Settings) -> httpx.Client:
    headers = {"User-Agent": "whatsapp-gateway"}
    if settings.internal_tokens:
        headers["Authorization"] = f"Bearer {settings.internal_tokens[0]}"
    return httpx.Client(
        base_url=settings.backend_url,
        headers=headers,
        timeout=TIMEOUT,
        follow_redirects=False,
        # The backend is not reached through anyone's proxy, and no .netrc overrides our token.
        trust_env=False,
    )
