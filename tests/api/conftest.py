"""The API's tests call a real app on a real database; what leaves it is recorded."""

from tests.kit.fixtures import (
    asked,
    backend,
    client,
    long_memory,
    make_customer,
    migrated,
    receive,
    send,
    send_as,
    with_sign_in,
)

__all__ = [
    "asked",
    "backend",
    "client",
    "long_memory",
    "make_customer",
    "migrated",
    "receive",
    "send",
    "send_as",
    "with_sign_in",
]
