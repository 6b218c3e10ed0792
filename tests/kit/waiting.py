"""Waiting for what real processes do in their own time."""

import time
from collections.abc import Callable
from typing import TypeVar

import httpx
import redis

T = TypeVar("T")
NOT_YET = (AssertionError, OSError, httpx.TransportError, redis.RedisError)
"""What a check may raise while the thing it asks is still starting."""


def eventually(check: Callable[[], T], *, timeout: float = 20.0, interval: float = 0.05) -> T:
    """The first true value of `check`, asked again and again; fails after `timeout` seconds."""
    give_up = time.monotonic() + timeout
    problem: BaseException | None = None
    while True:
        try:
            value = check()
            if value:
                return value
            problem = None
        except NOT_YET as error:
            problem = error
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {timeout:g} s: {problem!r}") from problem
        time.sleep(interval)
