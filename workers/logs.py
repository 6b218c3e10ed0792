"""One line a task, with ids and the outcome; never text, never a phone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

log = structlog.get_logger(__name__)


@contextmanager
def logged(**ids: int) -> Iterator[dict[str, Any]]:
    """Log the task when it ends; what the block puts into the yielded dict is logged too."""
    line: dict[str, Any] = dict(ids)
    started = time.perf_counter()
    try:
        yield line
    except Exception as error:
        line["outcome"] = type(error).__name__
        raise
    finally:
        log.info("task", **line, ms=round((time.perf_counter() - started) * 1000, 1))
