"""/customers: the inbox's list, and what agents know of each customer."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app

from crm import wire
from crm.api.access import agent, internal
from crm.api.answers import json_answer, list_answer
from crm.api.callers import current_actor
from crm.api.parsing import ApiBlueprint
from crm.errors import InvalidInputError
from crm.queries import customers as queries
from crm.queries.customers import CustomerFilter
from crm.queries.messages import read_totals
from crm.queries.unread_first import all_unread_first, page_unread_first
from crm.schemas.customers import (
    CreateCustomerSchema,
    CustomerQuery,
    CustomerSchema,
    CustomerSummarySchema,
    PhotoSchema,
    SummaryQuery,
    TotalsSchema,
    UpdateCustomerSchema,
)
from crm.services import customers as services

blp = ApiBlueprint("customers", __name__, url_prefix="/customers", description=__doc__)


@blp.route("/summary", methods=["GET"])
@agent
@blp.arguments(SummaryQuery, location="query")
@blp.response(200, CustomerSummarySchema(many=True))
def list_summaries(query: dict[str, Any]) -> Response:
    """Customers with their last message, newest activity first; `order=unread`: the unread before.

    Header `X-Stream-Cursor`: the event id that this list is true at. Times are UTC.
    """
    chosen = _chosen(query)
    if query.get("order") == "unread":
        return list_answer(
            query,
            whole=lambda: all_unread_first(chosen),
            page=lambda limit, cursor: page_unread_first(chosen, limit=limit, cursor=cursor),
        )
    return list_answer(
        query,
        whole=lambda: queries.all_summaries(chosen),
        page=lambda limit, cursor: queries.page_of_summaries(chosen, limit=limit, cursor=cursor),
    )


@blp.route("/", methods=["GET"])
@agent
@blp.arguments(CustomerQuery, location="query")
@blp.response(200, CustomerSchema(many=True))
def list_customers(query: dict[str, Any]) -> Response:
    """Customers with all their fields, by id."""
    chosen = _chosen(query)
    return list_answer(
        query,
        whole=lambda: queries.all_customers(chosen),
        page=lambda limit, cursor: queries.page_of_customers(chosen, limit=limit, cursor=cursor),
    )


@blp.route("/", methods=["POST"])
@agent
@blp.arguments(CreateCustomerSchema)
@blp.response(201, CustomerSchema)
@blp.alt_response(409, description="A customer with this phone exists.")
def create_customer(data: dict[str, Any]) -> Response:
    """Add a customer by hand."""
    customer = services.create_customer(**data)
    return json_answer(wire.customer(customer), 201, location=f"/customers/{customer.id}")


@blp.route("/photo", methods=["POST"])
@internal
@blp.arguments(PhotoSchema)
@blp.response(200, CustomerSchema)
@blp.alt_response(404, description="No customer has this phone.")
def set_photo(data: dict[str, Any]) -> Response:
    """Keep the address of a customer's picture (internal). It is never fetched."""
    _check_photo_url(data)
    return json_answer(wire.customer(services.set_customer_photo(**data)))


@blp.route("/<id:customer_id>", methods=["GET"])
@agent
@blp.response(200, CustomerSchema)
@blp.alt_response(404, description="There is no such customer.")
def get_customer(customer_id: int) -> Response:
    """One customer."""
    return json_answer(wire.customer(queries.find_customer(customer_id)))


@blp.route("/<id:customer_id>/totals", methods=["GET"])
@agent
@blp.response(200, TotalsSchema)
@blp.alt_response(404, description="There is no such customer.")
def get_totals(customer_id: int) -> Response:
    """How many messages the customer's chat holds, and since when."""
    return json_answer(asdict(read_totals(customer_id)))


@blp.route("/<id:customer_id>", methods=["PATCH"])
@agent
@blp.arguments(UpdateCustomerSchema)
@blp.response(200, CustomerSchema)
@blp.alt_response(404, description="There is no such customer.")
def update_customer(changes: dict[str, Any], customer_id: int) -> Response:
    """Change what is given; the rest stays."""
    _check_photo_url(changes)
    return json_answer(wire.customer(services.update_customer(customer_id, changes)))


@blp.route("/<id:customer_id>", methods=["DELETE"])
@agent
@blp.response(204)
@blp.alt_response(404, description="There is no such customer.")
def delete_customer(customer_id: int) -> Response:
    """Erase a customer with all messages, here and at the gateway."""
    services.delete_customer(customer_id, actor=current_actor())
    return Response(status=204)


def _chosen(query: dict[str, Any]) -> CustomerFilter:
    return CustomerFilter(search=query.get("search"), status=query.get("status"))


def _check_photo_url(data: dict[str, Any]) -> None:
    url = data.get("photo_url")
    if url and urlsplit(url).scheme == "http" and not current_app.config["ALLOW_HTTP_PHOTOS"]:
        raise InvalidInputError("Must be an https:// address.", field="photo_url")
