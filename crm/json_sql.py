"""JSON made by the database, spelled for SQLite and for PostgreSQL."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Integer, Text, TypeDecorator, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import SQLCoreOperations
from sqlalchemy.sql.functions import FunctionElement

POSTGRESQL_TIME = """'YYYY-MM-DD"T"HH24:MI:SS.US'"""


class _JsonObject(FunctionElement[str]):
    inherit_cache = True
    type = Text()
    name = "json_object_text"

    def __init__(self, fields: Mapping[str, ColumnElement[Any]]) -> None:
        self.names = list(fields)
        parts: list[ColumnElement[Any]] = []
        for name, value in fields.items():
            parts += [literal_column(f"'{name}'"), value]
        super().__init__(*parts)


class wire_time(FunctionElement[str]):
    """A timestamp as `2025-09-23T14:05:43.040413`."""

    inherit_cache = True
    type = Text()
    name = "wire_time"


class embedded_json(FunctionElement[str]):
    """A JSON column as a value inside an object, not as a string."""

    inherit_cache = True
    type = Text()
    name = "embedded_json"


class _JsonArray(FunctionElement[str]):
    inherit_cache = True
    type = Text()
    name = "json_array_text"


class _Utf8(TypeDecorator[bytes]):
    """A text as the bytes that go out: SQLite's driver need not make it a string first."""

    impl = Text
    cache_ok = True

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        return value.encode() if isinstance(value, str) else value


class joined(FunctionElement[bytes]):
    """The texts of all rows as one, in their order, a comma between two; NULL of none."""

    inherit_cache = True
    type = _Utf8()
    name = "joined"


def json_array(*values: SQLCoreOperations[Any]) -> ColumnElement[str]:
    """The text of a JSON array of these values."""
    return _JsonArray(*values)


def json_object(fields: Mapping[str, ColumnElement[Any]]) -> ColumnElement[str]:
    """The text of a JSON object with these fields, in this order."""
    return _JsonObject(fields)


def _arguments(element: FunctionElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_JsonObject, "sqlite")
def _(element: _JsonObject, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_object({_arguments(element, compiler, **options)})"


@compiles(_JsonObject, "postgresql")
def _(element: _JsonObject, compiler: SQLCompiler, **options: Any) -> str:
    # json_build_object looks up the types of all its arguments for each row: twice the time.
    parts, before = [], "{"
    for name, value in zip(element.names, list(element.clauses)[1::2], strict=True):
        parts += [f"""'{before}"{name}":'""", _json_text(value, compiler, **options)]
        before = ","
    return f"concat({', '.join(parts)}, '}}')"


def _json_text(value: ColumnElement[Any], compiler: SQLCompiler, **options: Any) -> str:
    """The JSON text of a value, which may be NULL. Of a number, and of JSON, it is its own text."""
    sql = compiler.process(value, **options)
    if isinstance(value.type, Integer) or isinstance(value, embedded_json):
        return f"coalesce(({sql})::text, 'null')"
    return f"coalesce(to_json({sql})::text, 'null')"


@compiles(wire_time, "sqlite")
def _(element: wire_time, compiler: SQLCompiler, **options: Any) -> str:
    # SQLAlchemy stores `2025-09-23 14:05:43.040413`, always with six decimals.
    return f"replace({_arguments(element, compiler, **options)}, ' ', 'T')"


@compiles(wire_time, "postgresql")
def _(element: wire_time, compiler: SQLCompiler, **options: Any) -> str:
    return f"to_char({_arguments(element, compiler, **options)}, {POSTGRESQL_TIME})"


@compiles(embedded_json, "sqlite")
def _(element: embedded_json, compiler: SQLCompiler, **options: Any) -> str:
    return f"json({_arguments(element, compiler, **options)})"


@compiles(embedded_json, "postgresql")
def _(element: embedded_json, compiler: SQLCompiler, **options: Any) -> str:
    return _arguments(element, compiler, **options)


@compiles(_JsonArray, "sqlite")
def _(element: _JsonArray, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array({_arguments(element, compiler, **options)})"


@compiles(_JsonArray, "postgresql")
def _(element: _JsonArray, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_build_array({_arguments(element, compiler, **options)})::text"


@compiles(joined, "sqlite")
def _(element: joined, compiler: SQLCompiler, **options: Any) -> str:
    # A comma of itself; one that is told as an argument takes half as long again.
    return f"CAST(group_concat({_arguments(element, compiler, **options)}) AS BLOB)"


@compiles(joined, "postgresql")
def _(element: joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({_arguments(element, compiler, **options)}, ',')"
