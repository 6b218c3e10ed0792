"""Text is stored and returned exactly as sent; what no database can hold is refused."""

import json

import pytest
from flask.testing import FlaskClient

from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

TEXTS = [
    "👨‍👩‍👧‍👦 🇲🇾 👍🏽",
    "مرحبا \u202bשלום\u202c",
    "line\u2028separator\u2029paragraph",
    "  spaces around  ",
    "trailing newline\n",
    "\r\n windows \t tab",
    "e\u0301 is not \u00e9",
    "<script>alert('x')</script> & \"quotes\" \\ %s {}",
    "'; DROP TABLE messages; --",
    "\ufeffbom \u200b zero width \ufffd \uffff \U0010ffff",
    "\x01\x1b\x7f",
]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_text_goes_out_and_comes_in_exactly_as_sent(
    client: FlaskClient, backend: Backend, send: Make, receive: Make, text: str
) -> None:
    inbound = receive(content=text)
    outbound = send(inbound["customer_id"], text)
    assert (inbound["content"], outbound["content"]) == (text, text)
    chat = client.get(f"/messages/{inbound['customer_id']}").get_json()
    assert [message["content"] for message in chat] == [text, text]
    assert client.get("/customers/summary").get_json()[0]["last_message"] == text
    told = [event["message"]["content"] for event in backend.events() if "message" in event]
    assert told == [text, text]


@pytest.mark.parametrize("text", TEXTS[:6], ids=ascii)
def test_what_agents_note_is_kept_exactly(
    client: FlaskClient, make_customer: Make, text: str
) -> None:
    customer = make_customer()
    changes = {"name": text, "remark": text, "extra_fields": {text: [text, {"deep": text}]}}
    answer = client.patch(f"/customers/{customer['id']}", json=changes)
    assert answer.status_code == 200
    assert changes.items() <= client.get(f"/customers/{customer['id']}").get_json().items()


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b", "\udc00"], ids=ascii)
def test_nul_and_lone_surrogates_are_a_422_in_every_text(
    client: FlaskClient, backend: Backend, make_customer: Make, text: str
) -> None:
    customer = make_customer()
    before = backend.counts()
    for method, path, body in (
        ("POST", "/customers/", {"name": text, "phone": "60199999999"}),
        ("POST", "/customers/", {"name": "x", "phone": "60199999999", "status": text}),
        ("PATCH", f"/customers/{customer['id']}", {"remark": text}),
        ("PATCH", f"/customers/{customer['id']}", {"extra_fields": {"a": [text]}}),
        ("PATCH", f"/customers/{customer['id']}", {"extra_fields": {text: 1}}),
        ("PATCH", f"/customers/{customer['id']}", {"photo_url": f"https://x.net/{text}"}),
        ("POST", "/messages/send", {"customer_id": customer["id"], "content": text}),
        ("POST", "/messages/inbox", {"phone": PHONE, "content": text}),
        ("POST", "/messages/inbox", {"phone": PHONE, "content": "x", "name": text}),
        ("POST", "/messages/inbox", {"phone": PHONE, "content": "x", "whatsapp_id": text}),
        ("POST", "/messages/ack", {"message_id": text, "ack": 2}),
        ("POST", "/messages/failed", {"backend_id": 1, "reason": text}),
    ):
        answer = client.open(
            path, method=method, data=json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == 422, (path, body)
    assert backend.counts() == before


def test_a_backslash_and_u0000_written_out_are_ordinary_text(
    client: FlaskClient, make_customer: Make
) -> None:
    note = {"regex": "\\u0000", "path": "\\\\u0000"}
    answer = client.patch(f"/customers/{make_customer()['id']}", json={"extra_fields": note})
    assert answer.get_json()["extra_fields"] == note


@pytest.mark.parametrize(
    "value", ["1e999", "-1e999", '{"deep": [1e400]}', "9" * 30, "[" * 400 + "]" * 400]
)
def test_extra_fields_hold_only_what_every_json_reader_reads_back(
    client: FlaskClient, make_customer: Make, value: str
) -> None:
    customer = make_customer()
    answer = client.patch(
        f"/customers/{customer['id']}",
        data=f'{{"extra_fields": {{"a": {value}}}}}',
        content_type="application/json",
    )
    assert answer.status_code == 422, answer.text
    assert client.get(f"/customers/{customer['id']}").get_json()["extra_fields"] == {}


def test_extra_fields_take_64_kib(client: FlaskClient, make_customer: Make) -> None:
    path = f"/customers/{make_customer()['id']}"
    assert client.patch(path, json={"extra_fields": {"a": "x" * 65_000}}).status_code == 200
    assert client.patch(path, json={"extra_fields": {"a": "x" * 65_536}}).status_code == 422
    for other in ([], None, "text", 1):
        assert client.patch(path, json={"extra_fields": other}).status_code == 422


@pytest.mark.parametrize("length", [1, 4096])
def test_an_outbound_text_has_1_to_4096_characters(
    client: FlaskClient, make_customer: Make, send: Make, length: int
) -> None:
    assert send(make_customer()["id"], "😀" * length)["content"] == "😀" * length


@pytest.mark.parametrize("content", ["", "x" * 4097, " \n\t\u2003", None, 5, ["x"]], ids=repr)
def test_an_outbound_text_that_is_blank_too_long_or_no_text_is_a_422(
    client: FlaskClient, make_customer: Make, content: object
) -> None:
    body = {"customer_id": make_customer()["id"], "content": content}
    assert client.post("/messages/send", json=body).status_code == 422


def test_an_inbound_text_has_up_to_65536_characters(client: FlaskClient, receive: Make) -> None:
    assert len(receive(content="x" * 65_536)["content"]) == 65_536
    answer = client.post("/messages/inbox", json={"phone": PHONE, "content": "x" * 65_537})
    assert answer.status_code == 422


@pytest.mark.parametrize("content", ["", "  ", None])
def test_a_blank_inbound_text_with_media_becomes_a_placeholder_and_without_is_refused(
    client: FlaskClient, receive: Make, content: str | None
) -> None:
    assert receive(content=content, media_base64="aGk=")["content"] == "[media]"
    answer = client.post("/messages/inbox", json={"phone": PHONE, "content": content})
    assert answer.status_code == 422


def test_fields_that_nobody_knows_are_ignored(
    receive: Make, send: Make, make_customer: Make
) -> None:
    message = receive(user_id=5, chat_history=[{"a": "\0"}], media_base64=None, __proto__={})
    assert message["content"] == "Hello"
    assert send(message["customer_id"], "Hi", to="other", ack=4, id=99)["ack"] == 1
    assert make_customer(id=99, unread_count=7)["unread_count"] == 0
