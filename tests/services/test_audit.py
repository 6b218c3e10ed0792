"""AUDIT_DAYS: old entries of the audit go, oldest first; young ones stay."""

from datetime import timedelta

import pytest

from crm import clock
from crm.actors import SYSTEM
from crm.models import Action, AuditEntry
from crm.services import audit
from tests.services.shop import Shop

DAYS = 30


@pytest.fixture
def kept_for_days(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.backend.app.config, "AUDIT_DAYS", DAYS)


def note(shop: Shop, *, days: float) -> int:
    """An entry of so many days ago; returns its id."""
    shop.do(audit.record_action, Action.CUSTOMERS_EXPORTED, SYSTEM)
    newest = max(entry.id for entry in shop.all(AuditEntry))
    shop.backend.change(AuditEntry, newest, at=clock.now() - timedelta(days=days))
    return newest


def kept(shop: Shop) -> list[int]:
    return sorted(entry.id for entry in shop.all(AuditEntry))


@pytest.mark.usefixtures("kept_for_days")
def test_old_entries_go_and_young_ones_stay(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    for _ in range(3):
        note(shop, days=DAYS + 1)
    young = [note(shop, days=DAYS - 0.1), note(shop, days=0)]
    assert [shop.do(audit.prune_audit) for _ in range(3)] == [2, 1, 0]
    assert kept(shop) == young


def test_a_year_is_kept_where_nothing_else_is_said(shop: Shop) -> None:
    note(shop, days=366)
    young = note(shop, days=364)
    assert shop.do(audit.prune_audit) == 1
    assert kept(shop) == [young]


def test_the_audit_is_kept_for_ever_by_0(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(shop.backend.app.config, "AUDIT_DAYS", 0)
    old = note(shop, days=4000)
    assert shop.do(audit.prune_audit) == 0
    assert kept(shop) == [old]
