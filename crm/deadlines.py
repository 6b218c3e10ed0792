"""A limit on a whole HTTP exchange, where httpx only limits each read.

A peer that drips one byte every few seconds never meets a read timeout, and would hold a worker's
thread for as long as it likes.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpcore
import httpx

_local = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Everything that this thread reads inside the block, it reads within so many seconds."""
    _local.until = time.monotonic() + seconds
    try:
        yield
    finally:
        del _local.until


def _remaining(timeout: float | None) -> float | None:
    until: float | None = getattr(_local, "until", None)
    if until is None:
        return timeout
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer does not end")
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """Another stream whose reads know the deadline."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self.write = inner.write  # type: ignore[method-assign]
        self.close = inner.close  # type: ignore[method-assign]
        self.get_extra_info = inner.get_extra_info  # type: ignore[method-assign]

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout))

    def start_tls(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(*args, **kwargs))


class _Backend(httpcore.SyncBackend):
    """httpcore's own backend, its streams wrapped."""

    def connect_tcp(self, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        return _Stream(super().connect_tcp(*args, **kwargs))


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's transport over connections that know the deadline."""

    def __init__(self, *, limits: httpx.Limits) -> None:
        super().__init__(limits=limits, trust_env=False)
        # httpx has no argument for httpcore's `network_backend`.
        self._pool._network_backend = _Backend()
