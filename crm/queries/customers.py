"""The inbox's list of customers."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO

from sqlalchemy import or_, select, tuple_

from crm import wire
from crm.errors import CustomerNotFoundError
from crm.extensions import db
from crm.models import Customer
from crm.phones import SEPARATORS
from crm.queries.pages import LIMIT, Page, Rows, bad_cursor, decode_cursor, read_all, read_page

SUMMARIES = select(wire.CUSTOMER_SUMMARY.as_sql(), Customer.active_at, Customer.id).order_by(
    Customer.active_at.desc(), Customer.id.desc()
)
"""Each one's JSON and the key that the list is ordered by, newest activity first."""
_SUMMARIES_PAGE = SUMMARIES.limit(LIMIT)
_CUSTOMERS = select(wire.CUSTOMER.as_sql(), Customer.id).order_by(Customer.id)
_CUSTOMERS_PAGE = _CUSTOMERS.limit(LIMIT)


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
    return read_all(filtered(SUMMARIES, chosen))


def page_of_summaries(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some summaries, newest activity first, from the cursor on."""
    statement = filtered(_SUMMARIES_PAGE, chosen)
    if cursor is not None:
        moment, last_id = decode_cursor(cursor, str, int)
        after = (parse_moment(moment), last_id)
        statement = statement.where(tuple_(Customer.active_at, Customer.id) < after)
    return read_page(statement, limit=limit)


def all_customers(chosen: CustomerFilter) -> IO[bytes]:
    """Every customer, by id."""
    return read_all(filtered(_CUSTOMERS, chosen))


def page_of_customers(chosen: CustomerFilter, *, limit: int, cursor: str | None) -> Page:
    """Some customers by id, from the cursor on."""
    statement = filtered(_CUSTOMERS_PAGE, chosen)
    if cursor is not None:
        statement = statement.where(Customer.id > decode_cursor(cursor, int)[0])
    return read_page(statement, limit=limit)


def filtered(statement: Rows, chosen: CustomerFilter) -> Rows:
    """The statement, of the chosen customers only."""
    if chosen.status is not None:
        statement = statement.where(Customer.status == chosen.status)
    if chosen.search:
        ways = [
            Customer.name.icontains(chosen.search, autoescape=True),
            Customer.last_message.icontains(chosen.search, autoescape=True),
        ]
        digits = SEPARATORS.sub("", chosen.search).removeprefix("+")
        if digits.isdecimal():
            ways.append(Customer.phone.contains(digits, autoescape=True))
        statement = statement.where(or_(*ways))
    return statement


def parse_moment(text: str) -> datetime:
    """A time in a cursor. Raises `InvalidInputError`."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_cursor() from error
    if moment.tzinfo is not None:
        raise bad_cursor()
    return moment
