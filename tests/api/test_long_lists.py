"""Lists that are too long for memory."""

import pytest
from flask.testing import FlaskClient

from crm.api import lists
from crm.queries import listing
from tests.kit.app import Backend
from tests.kit.fixtures import Make

PATH = "/customers/summary"


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch, make_customer: Make) -> None:
    """Two customers, and no list that memory holds."""
    for _ in range(2):
        make_customer()
    monkeypatch.setattr(lists, "MAX_BYTES", 100)


@pytest.fixture
def whole_reads(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One for each list that was read whole."""
    seen: list[object] = []
    spool = listing.SpooledTemporaryFile

    def note(**options: int) -> object:
        seen.append(options)
        return spool(**options)

    monkeypatch.setattr(listing, "SpooledTemporaryFile", note)
    return seen


def test_one_that_a_client_had_is_read_once_when_it_has_changed(
    backend: Backend, client: FlaskClient, make_customer: Make, whole_reads: list[object]
) -> None:
    tag = client.get(PATH).headers["ETag"]
    assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 304
    make_customer()
    del whole_reads[:]
    changed = client.get(PATH, headers={"If-None-Match": tag})
    assert (changed.status_code, len(changed.get_json())) == (200, 3)
    assert changed.headers["ETag"] != tag
    assert len(whole_reads) == 1


def test_one_that_nobody_takes_leaves_no_file_open(
    client: FlaskClient, make_customer: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = []
    spool = listing.SpooledTemporaryFile
    monkeypatch.setattr(
        listing, "SpooledTemporaryFile", lambda **given: files.append(spool(**given)) or files[-1]
    )
    tag = client.get(PATH).headers["ETag"]
    client.get(PATH, headers={"If-None-Match": tag})
    make_customer()
    for headers in ({"If-None-Match": tag}, {"If-None-Match": "*"}, {}):
        client.get(PATH, headers=headers, buffered=False).close()
    assert len(files) == 4
    assert all(file.closed for file in files)


def test_little_is_kept_of_a_client_who_says_that_it_has_much(
    backend: Backend, client: FlaskClient
) -> None:
    tag = client.get(PATH).headers["ETag"]
    much = [f'"{"x" * 4000}"', tag, *(f'"{number}"' for number in range(1000))]
    assert client.get(PATH, headers={"If-None-Match": ", ".join(much)}).status_code == 304
    kept = backend.app.extensions["asked_again"]._permitted.values()
    assert max(sum(map(len, one.asked.validators)) for one in kept) < 1000
