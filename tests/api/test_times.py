"""Times: UTC with six decimals out; ISO 8601 or epoch seconds in; never in the future."""

import re
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient

from crm import clock
from tests.kit.fixtures import PHONE, Make

SIX_DECIMALS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")


def test_every_time_has_six_decimals_and_no_offset(
    client: FlaskClient, receive: Make, make_customer: Make
) -> None:
    make_customer()
    receive(timestamp="2025-09-23T14:05:43")
    told = [
        *client.get("/customers/").get_json(),
        *client.get("/customers/summary").get_json(),
        *client.get("/messages/" + str(receive()["customer_id"])).get_json(),
    ]
    names = {"created_at", "updated_at", "last_timestamp", "timestamp"}
    times = [row[name] for row in told for name in names & row.keys() if row[name] is not None]
    assert len(times) > 6
    assert all(SIX_DECIMALS.match(time) for time in times)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2025-09-23T14:05:43.040413", "2025-09-23T14:05:43.040413"),
        ("2025-09-23T14:05:43", "2025-09-23T14:05:43.000000"),
        ("2025-09-23T14:05:43Z", "2025-09-23T14:05:43.000000"),
        ("2025-09-23T14:05:43+08:00", "2025-09-23T06:05:43.000000"),
        ("2025-09-23T14:05:43.5-05:30", "2025-09-23T19:35:43.500000"),
        ("2025-09-23", "2025-09-23T00:00:00.000000"),
        (1758636343, "2025-09-23T14:05:43.000000"),
        (1758636343.25, "2025-09-23T14:05:43.250000"),
        (0, "1970-01-01T00:00:00.000000"),
    ],
)
def test_a_time_is_understood_and_kept_in_utc(receive: Make, given: object, stored: str) -> None:
    assert receive(timestamp=given)["timestamp"] == stored


@pytest.mark.parametrize(
    "given", ["2999-01-01T00:00:00", "9999-12-31T23:59:59.999999Z", 4102444800, 1e300, 2**70]
)
def test_the_future_becomes_now(client: FlaskClient, given: object) -> None:
    body = f'{{"phone": "{PHONE}", "content": "x", "timestamp": {as_json(given)}}}'
    answer = client.post("/messages/inbox", data=body, content_type="application/json")
    stored = datetime.fromisoformat(answer.get_json()["timestamp"])
    assert clock.now() - timedelta(minutes=1) < stored <= clock.now()


def as_json(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


@pytest.mark.parametrize(
    "given",
    ["", "soon", "2025-13-01", "14:05", True, [1], {"a": 1}, -1e300, "0001-01-01T00:00:00+23:00"],
    ids=repr,
)
def test_what_is_no_time_is_a_422(client: FlaskClient, given: object) -> None:
    body = {"phone": PHONE, "content": "x", "timestamp": given}
    assert client.post("/messages/inbox", json=body).status_code == 422


def test_the_list_never_goes_back_in_time_when_an_old_message_comes_late(
    client: FlaskClient, receive: Make
) -> None:
    receive(content="new", timestamp="2025-09-23T14:00:00")
    receive(content="late", timestamp="2025-09-22T14:00:00")
    (row,) = client.get("/customers/summary").get_json()
    assert row["last_timestamp"] == "2025-09-23T14:00:00.000000"
    chat = client.get(f"/messages/{row['id']}").get_json()
    assert [message["content"] for message in chat] == ["new", "late"]
