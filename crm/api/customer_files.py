"""/customers/export.csv and /customers/import: customers as a file."""

from dataclasses import asdict
from typing import Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from crm import clock
from crm.api.access import Access, access, agent
from crm.api.answers import file_answer, json_answer
from crm.api.callers import current_actor
from crm.api.parsing import ApiBlueprint
from crm.errors import InvalidInputError
from crm.models import Action
from crm.queries.customer_file import write_customers
from crm.queries.customers import CustomerFilter
from crm.schemas.customer_rows import MAX_FILE, ImportQuery, ImportReportSchema, read_rows
from crm.schemas.customers import CustomerChoice
from crm.services.audit import record_action
from crm.services.customer_import import import_customers

blp = ApiBlueprint("customer_files", __name__, url_prefix="/customers", description=__doc__)

CSV = "text/csv"
FILE = {"schema": {"type": "string"}, "example": "name,phone\nMK Gan,60123456789\n"}


@blp.route("/export.csv", methods=["GET"])
@agent
@blp.arguments(CustomerChoice, location="query")
@blp.response(200, {"type": "string"}, content_type=CSV)
def export_customers(query: dict[str, Any]) -> Response:
    """Customers as a CSV file for spreadsheets.

    UTF-8 with a byte order mark. A cell that a spreadsheet would take for a formula (it begins with
    `=`, `+`, `-`, `@` of any width, a tab or a carriage return, also after a `;`, a tab or a line
    end in its midst) has an apostrophe there, which import takes back.
    """
    record_action(Action.CUSTOMERS_EXPORTED, current_actor())
    body = write_customers(CustomerFilter(**query))
    name = f"customers-{clock.now():%Y-%m-%d}.csv"
    return file_answer(body, name=name, content_type=f"{CSV}; charset=utf-8")


@blp.route("/import", methods=["POST"])
@access(Access.AGENT, max_body=MAX_FILE)
@blp.arguments(ImportQuery, location="query")
@blp.doc(requestBody={"required": True, "content": {CSV: FILE}})
@blp.response(200, ImportReportSchema)
@blp.alt_response(413, description="The file is larger than 5 MiB.")
@blp.alt_response(422, description="No CSV file in UTF-8, or more than 20,000 rows.")
def import_customer_file(query: dict[str, Any]) -> Response:
    """Make and change customers from a CSV file, sent as the body.

    The first line names the columns: `phone` or `lid`, `name`, `status`, `remark`, `extra_fields`
    (JSON); others are ignored, and what has no column stays. `,` and `;` are both read. A row finds
    its customer by phone, under all national variants, or by LID. Bad rows are told, the others are
    imported all the same; sending a file twice changes nothing the second time.
    """
    rows, errors = read_rows(_read_file())
    if not query["dry_run"]:
        record_action(Action.CUSTOMERS_IMPORTED, current_actor())
    report = import_customers(rows, dry_run=query["dry_run"])
    told = sorted([*errors, *report.errors], key=lambda error: error.line)
    listed = {"errors": [asdict(error) for error in told], "dry_run": report.dry_run}
    return json_answer({str(name): count for name, count in report.counts.items()} | listed)


def _read_file() -> bytes:
    charset = request.mimetype_params.get("charset", "utf-8").casefold()
    if request.mimetype != CSV or charset not in {"utf-8", "utf8"}:
        raise InvalidInputError("Send the file itself, in UTF-8, with Content-Type: text/csv.")
    body = request.get_data(cache=False)
    if request.content_length is None and len(body) >= MAX_FILE:
        raise RequestEntityTooLarge  # werkzeug cuts a chunked body off without a word
    return body
