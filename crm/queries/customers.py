"""The inbox's list of customers."""

import re
from dataclasses import dataclass
from typing import IO

from sqlalchemy import ColumnElement, String, bindparam, or_

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
_WILD = re.compile("[%_/]")
"""Characters that would mean others in a search; a `/` before them takes that away."""
_SEARCH = bindparam("search", type_=String)
_HAS_STATUS = Customer.status == bindparam("status")
_HAS_TEXT = or_(
    Customer.name.icontains(_SEARCH, escape="/"),
    Customer.last_message.icontains(_SEARCH, escape="/"),
)
_MAY_HAVE_PHONE = or_(_HAS_TEXT, Customer.phone.contains(bindparam("digits", type_=String)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """Which customers a list shows; None leaves a filter out."""

    search: str | None = None
    status: str | None = None

    @property
    def digits(self) -> str:
        """What is searched for, where it may be a part of a phone."""
        digits = SEPARATORS.sub("", self.search or "").removeprefix("+")
        return digits if digits.isdecimal() else ""

    def values(self) -> dict[str, str]:
        """What the names in `conditions` stand for."""
        told = {} if self.status is None else {"status": self.status}
        if self.search:
            told |= {"search": _WILD.sub(r"/\g<0>", self.search), "digits": self.digits}
        return told


def find_customer(customer_id: int) -> Customer:
    """One customer. Raises `CustomerNotFoundError`."""
    customer = db.session.get(Customer, customer_id)
    if customer is None:
        raise CustomerNotFoundError
    return customer


def all_summaries(chosen: CustomerFilter) -> IO[bytes]:
    """Every summary, newest activity first."""
    return read_whole(SUMMARIES.where(*conditions(chosen)), **chosen.values())


def page_of_summaries(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some summaries, newest activity first, from the cursor on."""
    listing = SUMMARIES.where(*conditions(chosen))
    return read_page(listing, limit=limit, cursor=cursor, **chosen.values())


def all_customers(chosen: CustomerFilter) -> IO[bytes]:
    """Every customer, by id."""
    return read_whole(_CUSTOMERS.where(*conditions(chosen)), **chosen.values())


def page_of_customers(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some customers by id, from the cursor on."""
    listing = _CUSTOMERS.where(*conditions(chosen))
    return read_page(listing, limit=limit, cursor=cursor, **chosen.values())


def conditions(chosen: CustomerFilter) -> list[ColumnElement[bool]]:
    """What is true of the chosen customers only, with names for `chosen.values()`."""
    found: list[ColumnElement[bool]] = []
    if chosen.status is not None:
        found.append(_HAS_STATUS)
    if chosen.search:
        found.append(_MAY_HAVE_PHONE if chosen.digits else _HAS_TEXT)
    return found
