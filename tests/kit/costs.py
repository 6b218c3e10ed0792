"""What is asked of the database meanwhile, counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from crm.extensions import db
from tests.kit.app import Backend, listening

STEPS = 10
"""Of SQLite's virtual machine, between two looks."""
OWN = {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "--"}
"""Words that begin what is no question."""


@dataclass(slots=True)
class Cost:
    """What was asked of the database meanwhile."""

    dialect: str
    statements: list[str] = field(default_factory=list)
    steps: int = 0


@contextmanager
def counted(backend: Backend) -> Iterator[Cost]:
    """Counts what this process asks of its database.

    SQLite itself tells its statements, each row of several at once. PostgreSQL's are those that
    SQLAlchemy's listeners hear of, so the lists' question for their version is not among them.
    """
    with backend.app.app_context():
        engine = db.engine
        db.session.remove()
    cost = Cost(engine.dialect.name)

    def note(statement: str) -> None:
        if statement.split()[0] not in OWN:
            cost.statements.append(" ".join(statement.split()))

    def note_passing(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if cost.dialect != "sqlite":
            note(statement)

    def step() -> None:
        cost.steps += STEPS

    def watch(connection: Any, *_: object) -> None:
        if cost.dialect == "sqlite":
            connection.set_progress_handler(step, STEPS)
            connection.set_trace_callback(note)

    engine.dispose()
    with (
        listening(engine, "before_cursor_execute", note_passing),
        listening(engine, "checkout", watch),
    ):
        yield cost
    engine.dispose()
