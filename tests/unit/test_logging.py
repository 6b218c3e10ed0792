"""What somebody else's words bring into a log is masked there."""

import pytest

from config.logging import mask, mask_line

FAULT = """psycopg.errors.CheckViolation: new row violates check constraint
DETAIL:  Failing row contains (7, MK Gan,

60123456789).

The above exception was the direct cause of the following exception:
sqlalchemy.exc.IntegrityError"""


@pytest.mark.parametrize(
    ("said", "shown"),
    [("/customers/60123456789", "/customers/…"), ("/messages/12", "/messages/12"),
     ("+60123456789 is no id", "+… is no id"), ("3EB008F159FE838F07B45C", "3EB008F159FE838F07B45C"),
     ("98765432109876@lid", "…@lid"), ("", "")],
)  # fmt: skip
def test_long_numbers_are_masked(said: str, shown: str) -> None:
    assert mask(said) == shown


def test_the_row_that_a_database_quotes_is_masked() -> None:
    shown = mask(FAULT)
    assert "MK Gan" not in shown and "…" in shown
    assert "CheckViolation" in shown and shown.endswith("sqlalchemy.exc.IntegrityError")


def test_our_own_facts_are_not_masked() -> None:
    line = {"message_id": 123456789, "request_id": "1234567890", "path": "/customers/1234567890"}
    assert mask_line(None, "info", line) == line | {"path": "/customers/…"}
