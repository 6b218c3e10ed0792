"""Lists kept in memory: only the newest version's, and not without bound."""

import pytest

from crm.api import unchanged
from crm.api.unchanged import UnchangedLists
from crm.queries.pages import Page, Version

NOW, LATER = Version(database_id=1, event_id=7), Version(database_id=1, event_id=8)


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> UnchangedLists:
    """With room for ten bytes beside two lists' own needs, and for five of one list."""
    monkeypatch.setattr(unchanged, "MAX_BYTES", 5)
    monkeypatch.setattr(unchanged, "MAX_TOTAL", 10 + 2 * unchanged.OVERHEAD)
    return UnchangedLists()


def keep(lists: UnchangedLists, name: str, size: int = 4) -> Page:
    page = Page(b"x" * size, None)
    lists.find(NOW, name)
    lists.keep(NOW, name, page)
    return page


def test_a_list_is_found_until_something_changes(lists: UnchangedLists) -> None:
    page = keep(lists, "a")
    assert lists.find(NOW, "a") is page
    assert lists.find(LATER, "a") is None
    assert lists.find(NOW, "a") is None


def test_a_list_of_an_older_version_is_not_kept(lists: UnchangedLists) -> None:
    lists.find(LATER, "a")
    lists.keep(NOW, "a", Page(b"[]", None))
    assert lists.find(LATER, "a") is None


def test_the_oldest_go_first_when_there_is_no_room(lists: UnchangedLists) -> None:
    for name in "abc":
        keep(lists, name)
    assert [name for name in "abc" if lists.find(NOW, name)] == ["b", "c"]


def test_lists_of_nothing_are_not_without_bound(lists: UnchangedLists) -> None:
    for name in "abc":
        keep(lists, name, 0)
    assert [name for name in "abc" if lists.find(NOW, name)] == ["b", "c"]


def test_a_list_kept_twice_takes_room_once(lists: UnchangedLists) -> None:
    for name in ("a", "b", "a", "b"):
        keep(lists, name)
    assert lists.find(NOW, "a")
    assert lists.find(NOW, "b")


def test_a_long_list_is_not_kept(lists: UnchangedLists) -> None:
    keep(lists, "long", 6)
    assert lists.find(NOW, "long") is None
