"""A job of several messages is a line in the log for each of them."""

import pytest
from structlog.testing import capture_logs

from workers.logs import logged_each


def test_each_message_has_a_line_with_its_own_outcome() -> None:
    with capture_logs() as lines, logged_each("message_id", (1, 2)) as tell:
        tell(2, outcome="accepted", request_id="r-2")
        tell(1, outcome="not_due")
    assert [(line["message_id"], line["outcome"]) for line in lines] == [
        (2, "accepted"),
        (1, "not_due"),
    ]
    assert lines[0]["request_id"] == "r-2"
    assert all(line["ms"] >= 0 for line in lines)


def test_a_fault_is_the_outcome_of_those_that_had_none_yet() -> None:
    with (
        capture_logs() as lines,
        pytest.raises(ConnectionError),
        logged_each("message_id", (1, 2, 3)) as tell,
    ):
        tell(2, outcome="accepted")
        raise ConnectionError
    assert [(line["message_id"], line["outcome"]) for line in lines] == [
        (2, "accepted"),
        (1, "ConnectionError"),
        (3, "ConnectionError"),
    ]
