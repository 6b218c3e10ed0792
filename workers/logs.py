"""One line a task, or a message of it, with ids and the outcome; never text, never a phone."""

import time
from collections.abc import Callable, Iterator, Sequence
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
        _log(line, started)


@contextmanager
def logged_each(name: str, ids: Sequence[int]) -> Iterator[Callable[..., None]]:
    """Log a line for each id as the block tells of it, and at a fault for those it did not."""
    untold = dict.fromkeys(ids)
    started = time.perf_counter()

    def tell(one: int, **line: str) -> None:
        untold.pop(one, None)
        _log({name: one, **line}, started)

    try:
        yield tell
    except Exception as error:
        for one in list(untold):
            tell(one, outcome=type(error).__name__)
        raise


def _log(line: dict[str, Any], started: float) -> None:
    log.info("task", **line, ms=round((time.perf_counter() - started) * 1000, 1))
