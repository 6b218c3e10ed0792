"""/audit: who did what, when and from where."""

from typing import Any

from flask import Response

from crm.api.access import owner
from crm.api.answers import page_answer
from crm.api.parsing import ApiBlueprint
from crm.queries import accounts as queries
from crm.schemas.accounts import AuditEntrySchema, AuditQuery

blp = ApiBlueprint("audit", __name__, url_prefix="/audit", description=__doc__)


@blp.route("", methods=["GET"])
@owner
@blp.arguments(AuditQuery, location="query")
@blp.response(200, AuditEntrySchema(many=True))
def list_audit(query: dict[str, Any]) -> Response:
    """Sign-ins, failed ones, accounts, tokens and erased customers; newest first, in pages."""
    found = queries.page_of_audit(limit=query["limit"], cursor=query.get("cursor"))
    return page_answer(query, found)
