"""The JSON that the database writes is what Python writes: lists, answers and events agree."""

import pytest
from flask.testing import FlaskClient

from tests.kit.app import Backend
from tests.kit.fixtures import Make

TEXTS = [
    "Hello",
    'quote " backslash \\ slash /',
    "tab\tline\nend",
    "‮עברית 你好 👩‍👩‍👧",
    "\u2028\x7f\x01",
    " ",
]
EXTRA = {"vip": True, "none": None, "n": 1.5, "deep": {"list": [1, "二", {"x": []}]}, "": "empty"}


@pytest.mark.parametrize("text", TEXTS)
def test_a_row_of_each_list_equals_the_single_answer_and_the_event(
    client: FlaskClient, backend: Backend, make_customer: Make, text: str
) -> None:
    customer_id = make_customer(name=f"N{text}")["id"]
    changes = {"remark": text, "extra_fields": EXTRA | {"text": text}, "status": "won"}
    changed = client.patch(f"/customers/{customer_id}", json=changes).get_json()
    sent = client.post(
        "/messages/send", json={"customer_id": customer_id, "content": f"m{text}"}
    ).get_json()
    told = backend.events()[-1]

    listed = client.get("/customers/").get_json()[0]
    assert listed == client.get(f"/customers/{customer_id}").get_json()
    assert listed | {"updated_at": changed["updated_at"]} == changed
    assert client.get(f"/messages/{customer_id}").get_json() == [sent] == [told["message"]]
    assert client.get("/messages?status=queued").get_json() == [sent]
    summaries = client.get("/customers/summary").get_json()
    assert summaries == client.get("/customers/summary?limit=1").get_json() == [told["customer"]]
