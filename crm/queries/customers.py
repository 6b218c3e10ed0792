"""The inbox's list of customers."""

from dataclasses import dataclass
from typing import IO

from sqlalchemy import ColumnElement, or_

from crm import wire
from crm.errors import CustomerNotFoundError
from crm.extensions import db
from crm.models import Customer
from crm.phones import SEPARATORS
from crm.queries.listing import Listing, read_page, read_whole
from crm.queries.pages import Page

SUMMARIES = Listing(
    wire.CUSTOMER_SUMMARY.as_sql(), Customer.active_at, Customer.id, newest_first=True
)
"""Newest activity first."""
_CUSTOMERS = Listing(wire.CUSTOMER.as_sql(), Customer.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """Which customers a list shows; None leaves a filter out."""

    search: str | None = None
    status: str | None = None


def find_customer(customer_id: int) -> Customer:
    """One customer. Raises `CustomerNotFoundError`."""
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise CustomerNotFoundError
    return customer


def all_summaries(chosen: CustomerFilter) -> IO[bytes]:
    """Every summary, newest activity first."""
    return read_whole(SUMMARIES.where(*conditions(chosen)))


def page_of_summaries(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some summaries, newest activity first, from the cursor on."""
    return read_page(SUMMARIES.where(*conditions(chosen)).behind(cursor), limit=limit)


def all_customers(chosen: CustomerFilter) -> IO[bytes]:
    """Every customer, by id."""
    return read_whole(_CUSTOMERS.where(*conditions(chosen)))


def page_of_customers(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some customers by id, from the cursor on."""
    return read_page(_CUSTOMERS.where(*conditions(chosen)).behind(cursor), limit=limit)


def conditions(chosen: CustomerFilter) -> list[ColumnElement[bool]]:
    """What is true of the chosen customers only."""
    found: list[ColumnElement[bool]] = []
    if chosen.status is not None:
        found.append(Customer.status == chosen.status)
    if chosen.search:
        found.append(or_(*_ways_to_match(chosen.search)))
    return found


def _ways_to_match(search: str) -> list[ColumnElement[bool]]:
    ways = [
        Customer.name.icontains(search, autoescape=True),
        Customer.last_message.icontains(search, autoescape=True),
    ]
    digits = SEPARATORS.sub("", search).removeprefix("+")
    if digits.isdecimal():
        ways.append(Customer.phone.contains(digits, autoescape=True))
    return ways
