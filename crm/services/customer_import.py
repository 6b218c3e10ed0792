"""Customers from a file: each row makes one, changes one, or agrees with what is known.

Rows go in by batches, a transaction each, so that no other writer waits for long. A file that was
broken off is simply sent again: what is in already counts as unchanged.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import or_, select

from crm import clock, wire
from crm.errors import DatabaseBusyError, UnavailableError
from crm.events import CustomerCreated, CustomerUpdated
from crm.extensions import db
from crm.models import Customer
from crm.phones import is_possible, phone_key
from crm.services.customers import change_fields
from crm.transaction import transaction

BATCH = 100
TRIES = 3
"""Of a batch that finds the database busy."""
MAX_PAUSE = 0.1
"""Seconds left to other writers between two batches; else as long as the batch took."""


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    """A row that can be read; `changes` has the fields that its file has a column for."""

    line: int
    phone: str
    lid: str | None
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong with one field of the row that begins in a line; None: with all of it."""

    line: int
    field: str | None
    detail: str


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do."""

    dry_run: bool
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    errors: list[RowError] = field(default_factory=list)

    def add(self, results: Iterable[Outcome | RowError]) -> None:
        """Count what became of some rows."""
        for result in results:
            if isinstance(result, RowError):
                self.errors.append(result)
            else:
                self.counts[result] += 1


class _Known:
    """The customers that rows are compared with, and what became of them."""

    def __init__(self) -> None:
        self._by_phone: dict[str, Customer] = {}
        self._by_lid: dict[str, Customer] = {}
        self.touched: dict[Customer, Outcome] = {}

    def copy(self) -> "_Known":
        """The same customers, of whom nothing has become yet."""
        other = _Known()
        other._by_phone, other._by_lid = self._by_phone.copy(), self._by_lid.copy()
        return other

    def add(self, customer: Customer) -> None:
        """Who was added before stays: in a dry run the database does not know what changed."""
        if customer.phone_key:
            self._by_phone.setdefault(customer.phone_key, customer)
        if customer.lid:
            self._by_lid.setdefault(customer.lid, customer)

    def take(self, row: CustomerRow) -> Outcome | RowError:
        """Do to the customers what a row says."""
        by_phone = self._by_phone.get(phone_key(row.phone)) if row.phone else None
        by_lid = self._by_lid.get(row.lid) if row.lid else None
        if by_phone:
            return self._update(by_phone, row, lid=None if by_lid else row.lid)
        if by_lid and by_lid.phone and row.phone:
            return RowError(row.line, "lid", "The customer with this LID has another phone.")
        if by_lid:
            return self._update(by_lid, row, phone=row.phone)
        return self._create(row)

    def _create(self, row: CustomerRow) -> Outcome | RowError:
        if row.phone and not is_possible(row.phone):
            detail = "No phone in the world looks like this; check country code."
            return RowError(row.line, "phone", detail)
        if "name" not in row.changes:
            return RowError(row.line, "name", "A new customer needs a name.")
        key = phone_key(row.phone) if row.phone else None
        customer = Customer.new(name="", phone=row.phone, phone_key=key, lid=row.lid)
        change_fields(customer, row.changes)
        self.touched[customer] = Outcome.CREATED
        self.add(customer)
        return Outcome.CREATED

    def _update(
        self, customer: Customer, row: CustomerRow, *, phone: str = "", lid: str | None = None
    ) -> Outcome:
        changes = dict(row.changes)
        if not changes.get("remark") and not customer.remark:
            changes.pop("remark", None)  # a file does not tell an empty remark from none
        if phone:
            changes |= {"phone": phone, "phone_key": phone_key(phone)}
        if lid and not customer.lid:
            changes["lid"] = lid
        if not change_fields(customer, changes):
            return Outcome.UNCHANGED
        customer.updated_at = clock.now()
        self.touched.setdefault(customer, Outcome.UPDATED)
        self.add(customer)
        return Outcome.UPDATED


def import_customers(rows: Sequence[CustomerRow], *, dry_run: bool) -> ImportReport:
    """Make and change customers as the rows say; a dry run only tells what would happen."""
    report = ImportReport(dry_run)
    batches = [rows[start : start + BATCH] for start in range(0, len(rows), BATCH)]
    if dry_run:
        _foresee(batches, report)
        return report
    for number, batch in enumerate(batches):
        began = time.perf_counter()
        report.add(_store_patiently(batch, done=number * BATCH))
        if number + 1 < len(batches):
            time.sleep(min(time.perf_counter() - began, MAX_PAUSE))
    return report


def _store_patiently(batch: Sequence[CustomerRow], *, done: int) -> list[Outcome | RowError]:
    for _ in range(TRIES - 1):
        try:
            return _store(batch)
        except DatabaseBusyError:
            time.sleep(MAX_PAUSE)
    try:
        return _store(batch)
    except UnavailableError as error:
        if not done:
            raise
        raise UnavailableError(
            f"The database cannot be used now, {done} rows are done; send the file again, "
            "what is in already counts as unchanged."
        ) from error


def _store(batch: Sequence[CustomerRow]) -> list[Outcome | RowError]:
    with transaction() as tx:
        known = _Known()
        for customer in tx.session.scalars(_find(batch).with_for_update(key_share=True)):
            known.add(customer)
        results = [known.take(row) for row in batch]
        tx.session.add_all(known.touched)
        # Where another made the same customer meanwhile, the unique index has the batch repeated.
        tx.session.flush()
        for customer, outcome in known.touched.items():
            told = CustomerCreated if outcome is Outcome.CREATED else CustomerUpdated
            row = wire.customer_summary(customer)
            tx.record(told(customer_id=customer.id, customer=row))
        return results


def _foresee(batches: Sequence[Sequence[CustomerRow]], report: ImportReport) -> None:
    """What `_store` would do, tried on copies."""
    changed = _Known()
    for batch in batches:
        known = changed.copy()
        for customer in db.session.scalars(_find(batch)).all():
            known.add(customer)
        db.session.expunge_all()
        report.add([known.take(row) for row in batch])
        for customer in known.touched:
            changed.add(customer)
        db.session.rollback()


def _find(batch: Sequence[CustomerRow]) -> Any:
    keys = {phone_key(row.phone) for row in batch if row.phone}
    lids = {row.lid for row in batch if row.lid}
    return (
        select(Customer)
        .where(or_(Customer.phone_key.in_(keys), Customer.lid.in_(lids)))
        .order_by(Customer.id)
        .execution_options(populate_existing=True)
    )
