"""Statements that are compiled once and from then on go to the driver as they are.

SQLAlchemy looks anew at a statement, its parameters and its result each time it runs. Where a
request runs five of them in a row, that costs several times what the database takes.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam
from sqlalchemy.dialects.postgresql import insert  # its ON CONFLICT is SQLite's, too
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement
from sqlalchemy.types import TypeEngine

from crm.database_errors import from_driver

Values = Mapping[str, Any]
Change = Callable[[Any], Any]


class Prepared:
    """A statement whose values are named by `bindparam`, or stand in it.

    Its rows are named tuples. Values, rows and errors are what SQLAlchemy makes of them, and who
    listens to its `before_cursor_execute` and `after_cursor_execute` hears of it. No model and no
    session does.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: Connection, values: Values) -> list[Any]:
        """Run it; every row."""
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = _Compiled(self._statement, dialect)
        return compiled.run(connection, values)

    def first(self, connection: Connection, values: Values) -> Any:
        """Run it; the first row, or None."""
        return next(iter(self.all(connection, values)), None)


class PreparedInsert(Prepared):
    """A new row of a model's table; the database gives its id, what is not told is the default.

    `unless_taken`: a unique column. Where its value is there already, nothing is inserted.
    """

    def __init__(self, model: type[DeclarativeBase], *, unless_taken: str | None = None) -> None:
        table: Any = model.__table__
        columns = [column for column in table.columns if not column.primary_key]
        for column in columns:
            is_known = column.default is None or column.default.is_scalar
            assert is_known and (column.default or not column.server_default or column.nullable), (
                f"only a plain default is told to the database: {column}"
            )
        self._defaults = {column.name: getattr(column.default, "arg", None) for column in columns}
        places: dict[str, Any] = {name: bindparam(name) for name in self._defaults}
        statement: Any = insert(table).values(places)
        if unless_taken:
            statement = statement.on_conflict_do_nothing(index_elements=[unless_taken])
        super().__init__(statement.returning(*table.primary_key))

    def add(self, connection: Connection, values: Values) -> int:
        """Insert it; returns its id. What is no column is passed over."""
        stored = self.try_to_add(connection, values)
        assert stored is not None
        return stored

    def try_to_add(self, connection: Connection, values: Values) -> int | None:
        """The same, or None where the value that `unless_taken` names is taken."""
        told = {name: values.get(name, default) for name, default in self._defaults.items()}
        row = self.first(connection, told)
        return None if row is None else int(row[0])


class _Compiled:
    """The statement as one kind of database is told it."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        self._dialect, self._sql = dialect, compiled.string
        self._standing = {
            name: value
            for name, value in compiled.params.items()
            if not compiled.binds[name].required
        }
        self._required = compiled.params.keys() - self._standing.keys()
        self._order = compiled.positiontup
        binds = {name: compiled.binds[name].type for name in compiled.params}
        self._to_driver = _changes(
            binds.items(), lambda type_: type_.bind_processor(dialect), dialect
        )
        columns = list(getattr(statement, "exported_columns", ()))
        self._from_driver = _changes(
            ((place, column.type) for place, column in enumerate(columns)),
            lambda type_: type_.result_processor(dialect, None),
            dialect,
        )
        self._row: Any = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]

    def run(self, connection: Connection, values: Values) -> list[Any]:
        if not values.keys() >= self._required:
            raise TypeError(f"values needed: {sorted(self._required - values.keys())}")
        told = {**self._standing, **values}
        for name, change in self._to_driver:
            told[name] = change(told[name])
        given = told if self._order is None else tuple([told[name] for name in self._order])
        errors = self._dialect.loaded_dbapi.Error
        try:
            with closing(connection.connection.cursor()) as cursor:
                self._execute(connection, cursor, given)
                rows = cursor.fetchall() if cursor.description else []
        except errors as error:
            raise from_driver(error, self._sql, connection.engine, connection) from error
        return [self._row._make(self._changed(row)) for row in rows]

    def _execute(self, connection: Connection, cursor: Any, given: Any) -> None:
        listeners = connection.dispatch
        if not (listeners.before_cursor_execute or listeners.after_cursor_execute):
            cursor.execute(self._sql, given)
            return
        # Tools that measure leave their notes on the context.
        heard = cursor, self._sql, given, SimpleNamespace(statement=self._sql, parameters=given)
        for listener in listeners.before_cursor_execute:
            listener(connection, *heard, False)
        cursor.execute(self._sql, given)
        for listener in listeners.after_cursor_execute:
            listener(connection, *heard, False)

    def _changed(self, row: Sequence[Any]) -> Sequence[Any]:
        if not self._from_driver:
            return row
        changed = list(row)
        for place, change in self._from_driver:
            changed[place] = change(changed[place])
        return changed


def _changes(
    types: Iterable[tuple[Any, TypeEngine[Any]]],
    find: Callable[[TypeEngine[Any]], Change | None],
    dialect: Dialect,
) -> list[tuple[Any, Change]]:
    """By name or place, of those types that the driver does not take or give as they are."""
    found = ((place, find(type_.dialect_impl(dialect))) for place, type_ in types)
    return [(place, change) for place, change in found if change is not None]
