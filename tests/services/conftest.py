"""Use cases are tried on real databases; what would leave the process is recorded."""

from collections.abc import Iterator

import pytest

from tests.kit.app import Backend
from tests.kit.fixtures import backend, migrated
from tests.services.shop import Shop

__all__ = ["backend", "migrated", "shop"]


@pytest.fixture
def shop(backend: Backend) -> Iterator[Shop]:
    """An empty shop whose gateway accepts everything."""
    yield Shop(backend)
