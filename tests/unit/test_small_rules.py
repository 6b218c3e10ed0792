"""Cursors and times as pure functions."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import clock
from crm.errors import InvalidInputError
from crm.queries.pages import decode_cursor, encode_cursor


@given(st.text(), st.integers(0, 2**63 - 1))
def test_a_cursor_gives_back_its_key(text: str, number: int) -> None:
    cursor = encode_cursor([text, number])
    assert decode_cursor(cursor, str, int) == [text, number]
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text())
def test_any_other_text_is_refused_or_a_key_of_the_right_types(text: str) -> None:
    try:
        (number,) = decode_cursor(text, int)
    except InvalidInputError as error:
        assert error.more == {"errors": {"cursor": [error.detail]}}
    else:
        assert type(number) is int


@pytest.mark.parametrize("moment", [datetime(2025, 9, 23, 14, 5, 43), datetime(1, 1, 1)])
def test_a_time_has_six_decimals_on_the_wire(moment: datetime) -> None:
    assert clock.to_wire(moment).endswith(".000000")
    assert clock.to_wire(None) is None


def test_now_is_utc_without_an_offset() -> None:
    assert clock.now().tzinfo is None
