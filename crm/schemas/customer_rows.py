"""Customers in a CSV file, as import reads it: what export wrote, or what a person made."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from crm.csv_cells import unguard
from crm.errors import InvalidInputError
from crm.schemas.addressed import Addressed
from crm.schemas.base import Answer, JsonObject, Lid, Phone, Schema, Text
from crm.schemas.customers import REMARK_LENGTH, name_field, status_field
from crm.services.customer_import import CustomerRow, RowError

MAX_FILE = 5 * 1024 * 1024
MAX_ROWS = 20_000
DELIMITERS = ",;"
ROUNDED = re.compile(r"\d(?:[.,]\d+)?E\+?\d+", re.IGNORECASE | re.ASCII)
DECIMAL = re.compile(r"\d{5,}[.,]\d{1,2}", re.ASCII)
NOT_UTF8 = 'The file is not UTF-8; save it as "CSV UTF-8" and send that.'
DAMAGED = (
    "A spreadsheet turned this into a number and its digits are not to be relied on; give the "
    "column the format Text, enter it anew, and save the file again."
)

csv.field_size_limit(MAX_FILE)


def _undamaged(value: Any) -> Any:
    """Without the apostrophe that people write before digits; refuses what is a number now."""
    if not isinstance(value, str):
        return value
    bare = value.strip().removeprefix("'")
    if ROUNDED.fullmatch(bare) or DECIMAL.fullmatch(bare):
        raise ma.ValidationError(DAMAGED)
    return bare


class PhoneCell(Phone):
    """A phone that went through a spreadsheet."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(_undamaged(value), *args, **kwargs)


class LidCell(Lid):
    """A LID that went through a spreadsheet."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        return super()._deserialize(_undamaged(value), *args, **kwargs)


class JsonCell(JsonObject):
    """A JSON object written out; an empty cell is an empty one."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        try:
            document = json.loads(value) if value.strip() else {}
        except (ValueError, RecursionError) as error:
            raise ma.ValidationError("Must be a JSON object.") from error
        return super()._deserialize(document, *args, **kwargs)


class CustomerRowSchema(Addressed):
    """One row. An empty status stays as it is; an empty remark is none."""

    phone = PhoneCell(load_default="")
    lid = LidCell(load_default=None)
    name = name_field()
    status = status_field()
    remark = Text(validate=validate.Length(max=REMARK_LENGTH))
    extra_fields = JsonCell()

    @ma.post_load
    def read_no_remark(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """As the API writes it."""
        return data | {"remark": data["remark"] or None} if "remark" in data else data


class ImportQuery(Schema):
    """How to import."""

    dry_run = fields.Boolean(
        truthy={"true", "1"},
        falsy={"false", "0"},
        load_default=False,
        metadata={"description": "Only tell what would happen; nothing is changed."},
    )


class RowErrorSchema(Answer):
    """What is wrong with a row."""

    line = fields.Integer(metadata={"description": "Where the row begins; the header is 1."})
    field = fields.String(allow_none=True, metadata={"description": "Null: the row as a whole."})
    detail = fields.String()


class ImportReportSchema(Answer):
    """What an import did, or would do."""

    created = fields.Integer()
    updated = fields.Integer()
    unchanged = fields.Integer()
    errors = fields.List(fields.Nested(RowErrorSchema))
    dry_run = fields.Boolean()


_SCHEMA = CustomerRowSchema()
_EMPTY_SAYS_NOTHING = ("phone", "lid", "status")


def read_rows(body: bytes) -> tuple[list[CustomerRow], list[RowError]]:
    """The rows that can be read, and what is wrong with the others.

    Raises `InvalidInputError` where the file as a whole cannot be used.
    """
    rows: list[CustomerRow] = []
    errors: list[RowError] = []
    for line, cells in _read_cells(_decode(body)):
        if isinstance(cells, str):
            errors.append(RowError(line, None, cells))
            continue
        try:
            loaded: dict[str, Any] = _SCHEMA.load(cells)
        except ma.ValidationError as error:
            messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
            errors += [RowError(line, name, _first(said)) for name, said in messages.items()]
        else:
            named = {name: loaded.pop(name) for name in ("phone", "lid")}
            rows.append(CustomerRow(line=line, changes=loaded, **named))
    return rows, errors


def _first(said: Any) -> str:
    return str(said[0]) if isinstance(said, list) else str(said)


def _decode(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(NOT_UTF8) from error
    if "\0" in text.partition("\n")[0]:
        raise InvalidInputError(NOT_UTF8)  # UTF-16 without its mark
    return text


def _read_cells(text: str) -> Iterator[tuple[int, Mapping[str, str] | str]]:
    """Each row's first line, and its cells by column, or what is wrong with the row."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines = _numbered(reader)
    columns = _check_columns([name.strip().casefold() for name in next(lines, (1, []))[1]])
    for count, (line, row) in enumerate(lines, 1):
        if count > MAX_ROWS:
            raise InvalidInputError(f"The file has more than {MAX_ROWS} rows; send it in parts.")
        if len(row) < len(columns) or any(row[len(columns) :]):
            yield line, f"The header has {len(columns)} columns, this row has {len(row)} cells."
            continue
        cells = {name: unguard(cell) for name, cell in zip(columns, row, strict=False)}
        said = {
            name: cell for name, cell in cells.items() if cell or name not in _EMPTY_SAYS_NOTHING
        }
        yield line, {name: cell for name, cell in said.items() if name in _SCHEMA.fields}


def _numbered(reader: Any) -> Iterator[tuple[int, list[str]]]:
    """Every row that says something, with the line where it begins."""
    line = 1
    try:
        for row in reader:
            if any(row):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInputError(
            f"From line {line} on the file cannot be read: a quotation mark is missing or too many."
        ) from error


def _delimiter(text: str) -> str:
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return max(DELIMITERS, key=lambda delimiter: len(header.split(delimiter)))


def _check_columns(columns: list[str]) -> list[str]:
    if not {"phone", "lid"} & set(columns):
        raise InvalidInputError("The first line must name the columns, phone or lid among them.")
    known = [name for name in columns if name in _SCHEMA.fields]
    if len(known) > len(set(known)):
        raise InvalidInputError("The first line names a column twice.")
    return columns
