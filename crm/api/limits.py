"""How often one may call: counted in Redis, in this process's memory while Redis is away."""

import math
import time
from typing import Any

from flask import Flask, current_app, g, request
from flask_limiter import ApplicationLimit, Limiter
from limits import parse
from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from config.addresses import network_of
from crm.credentials import hash_secret
from crm.hints import hints
from crm.queries.callers import Caller

PATIENCE = 0.05
"""Seconds that a request waits for Redis, once; from then on it is asked off their path."""
EVERYWHERE = "global"
"""The scope of what is counted for all endpoints together."""
SIGN_INS_PER_ACCOUNT = "10 per 5 minutes"
SIGN_INS_PER_ADDRESS = "60 per 5 minutes"
"""A whole office may be behind one address."""


class QuickRedis(RedisStorage):
    """Counters in Redis that no request waits for twice."""

    STORAGE_SCHEME = ["quick"]  # noqa: RUF012

    def __init__(self, uri: str, *, address: str, **options: Any) -> None:
        self._answers = True
        super().__init__(
            address,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
            **options,
        )

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        if not self._answers:
            raise RedisConnectionError("Redis did not answer when it was last asked.")
        try:
            return super().incr(key, expiry, amount)
        except RedisError:
            self._answers = False
            raise

    def check(self) -> bool:
        """Whether Redis answered when it was last looked at; has it looked at again."""
        hints.run(self._look)
        return self._answers

    def _look(self) -> None:
        self._answers = super().check()


def _name(caller: Caller) -> str:
    return f"{caller.actor.kind} {caller.actor.id}"


class CallLimiter(Limiter):
    """Counts the requests of agents and scripts, where one has to sign in; no service's.

    flask-limiter asks whom a limit is for after it has gone through its rules.
    """

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        is_limited = g.get("caller") is not None and current_app.config["AUTH_REQUIRED"]
        if is_limited or not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)

    def count(self, caller: Caller, limit: str) -> bool:
        """Count a request that Flask does not see; False where Flask is to say what comes of it."""
        try:
            return self.limiter.hit(parse(limit), _name(caller), EVERYWHERE)
        except Exception:  # Redis is away: flask-limiter knows what to do then
            return False


limiter = CallLimiter(
    key_func=lambda: _name(g.caller),
    application_limits=[
        ApplicationLimit(lambda: str(current_app.config["RATE_LIMIT"]), scope=EVERYWHERE)
    ],
    storage_uri="quick://",
    in_memory_fallback_enabled=True,
    # Of threads that fail together one falls back to memory; the others count nothing.
    swallow_errors=True,
)


@limiter.limit(SIGN_INS_PER_ADDRESS, key_func=lambda: f"address {network_of(request.remote_addr)}")
@limiter.limit(SIGN_INS_PER_ACCOUNT, key_func=lambda: f"account {g.account}")
def _count_sign_in() -> None:
    """Raises flask-limiter's 429."""


def count_sign_in(account: str) -> None:
    """Count a try to sign in, before it is looked at, so that those at once count too."""
    g.account = hash_secret(account.strip().casefold())
    _count_sign_in()


def init_limits(app: Flask, *, redis_url: str, prefix: str) -> None:
    """Count before every request; to be called after whoever finds the caller."""
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {
        "address": redis_url,
        "key_prefix": f"{prefix}limits",
    }
    limiter.init_app(app)


def seconds_to_wait() -> int:
    """For `Retry-After`, once a limit was met."""
    met = limiter.current_limit
    if met is None:
        return 1
    window = met.limit.get_expiry()
    try:
        return min(window, max(1, math.ceil(met.reset_at - time.time())))
    except (RedisError, OSError):
        return window
