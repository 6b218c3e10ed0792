"""What the seed and the OpenAPI document promise is asked of a real app on a real database."""

from tests.kit.fixtures import (
    backend,
    client,
    make_customer,
    migrated,
    receive,
    send,
    send_as,
)

__all__ = ["backend", "client", "make_customer", "migrated", "receive", "send", "send_as"]
