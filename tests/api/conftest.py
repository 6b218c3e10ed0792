"""The API's tests call a real app on a real database; what leaves it is recorded."""

from tests.kit.fixtures import (
    backend,
    client,
    make_customer,
    migrated,
    receive,
    send,
    send_as,
    with_sign_in,
)

__all__ = [
    "backend",
    "client",
    "make_customer",
    "migrated",
    "receive",
    "send",
    "send_as",
    "with_sign_in",
]
