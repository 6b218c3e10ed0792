"""Phones: as people write them, found again under every variant, never rewritten; and LIDs."""

import pytest
from flask.testing import FlaskClient

from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

VARIANTS = [
    ("5511987654321", "551187654321"),
    ("5215512345678", "525512345678"),
    ("5491123456789", "541123456789"),
]


@pytest.mark.parametrize("written", ["+60 12-345 6789", "60123456789@c.us", " 60123456789 ",
    "+60123456789@s.whatsapp.net",
    "(60) 12.345/6789", "\u202a+60 12\u2011345 6789\u202c"])  # fmt: skip
def test_a_phone_is_stored_as_its_digits(
    client: FlaskClient, make_customer: Make, receive: Make, written: str
) -> None:
    customer = make_customer(phone=written)
    assert customer["phone"] == PHONE
    assert receive(phone=written)["customer_id"] == customer["id"]


@pytest.mark.parametrize("pair", VARIANTS, ids=lambda pair: pair[0][:2])
@pytest.mark.parametrize("turned", [False, True], ids=["long first", "short first"])
def test_a_national_variant_is_the_same_customer_and_is_not_rewritten(
    client: FlaskClient, make_customer: Make, receive: Make, pair: tuple[str, str], turned: bool
) -> None:
    first, second = reversed(pair) if turned else pair
    customer = make_customer(phone=first)
    assert receive(phone=second)["customer_id"] == customer["id"]
    photo = {"phone": second, "photo_url": "https://x.net/a"}
    assert client.post("/customers/photo", json=photo).get_json()["phone"] == first
    assert client.post("/customers/", json={"name": "x", "phone": second}).status_code == 409
    assert client.get(f"/customers/{customer['id']}").get_json()["phone"] == first


@pytest.mark.parametrize("phone", ["123", "12345", "0123456789", "999123456789", "60"])
def test_a_customer_is_added_only_with_a_phone_that_can_exist(
    client: FlaskClient, phone: str
) -> None:
    assert client.post("/customers/", json={"name": "x", "phone": phone}).status_code == 422


@pytest.mark.parametrize("phone", ["12345", "0123456789", "999123456789012"])
def test_a_number_plan_never_refuses_an_inbound_message(receive: Make, phone: str) -> None:
    assert receive(phone=phone)["content"] == "Hello"


@pytest.mark.parametrize("phone", ["", "1234", "1234567890123456", "abc", "+", "60123456789x",
    "٦٠١٢٣٤٥٦٧٨٩", "120363@g.us", 60123456789, None, ["6"], "status@broadcast"])  # fmt: skip
def test_what_is_no_phone_is_a_422_at_the_inbox(client: FlaskClient, phone: object) -> None:
    answer = client.post("/messages/inbox", json={"phone": phone, "content": "Hello"})
    assert answer.status_code == 422
    assert "phone" in answer.get_json()["errors"]


@pytest.mark.parametrize("body", [{"lid": "123456789012345"}, {"lid": "123456789012345@lid"},
    {"phone": "123456789012345@lid"}, {"phone": "", "lid": "123456789012345"}])  # fmt: skip
def test_a_customer_may_be_known_by_a_lid_alone(client: FlaskClient, body: dict[str, str]) -> None:
    answer = client.post("/messages/inbox", json={"content": "Hello", **body})
    assert answer.status_code == 201, answer.text
    (row,) = client.get("/customers/summary").get_json()
    assert (row["phone"], row["lid"], row["name"]) == ("", "123456789012345", "123456789012345")


def test_a_lid_learns_its_phone_and_browsers_are_told(
    client: FlaskClient, backend: Backend, receive: Make
) -> None:
    first = receive(phone="77@lid", whatsapp_id="A")
    assert receive(lid="77", whatsapp_id="A")["id"] == first["id"]
    assert backend.event_types()[-1] == "customer_updated"
    (row,) = client.get("/customers/summary").get_json()
    assert (row["phone"], row["lid"]) == (PHONE, "77")
    assert backend.events()[-1]["customer"] == row
    assert receive()["customer_id"] == first["customer_id"]


def test_a_phone_learns_its_lid(receive: Make, make_customer: Make) -> None:
    customer = make_customer(phone=PHONE)
    assert receive(lid="77")["customer_id"] == customer["id"]
    assert receive(phone="77@lid")["customer_id"] == customer["id"]


def test_where_phone_and_lid_mean_two_customers_the_phone_counts(
    receive: Make, make_customer: Make
) -> None:
    of_the_lid = make_customer(phone="60111111111")
    receive(phone="60111111111", lid="77")
    of_the_phone = make_customer(phone=PHONE)
    assert receive(phone=PHONE, lid="77")["customer_id"] == of_the_phone["id"]
    assert receive(phone="77@lid")["customer_id"] == of_the_lid["id"]


def test_a_send_to_a_lid_is_stored(receive: Make, send: Make) -> None:
    customer_id = receive(phone="77@lid")["customer_id"]
    assert send(customer_id)["status"] == "queued"


def test_a_nameless_customer_is_named_after_its_phone(client: FlaskClient, receive: Make) -> None:
    receive(name=" ")
    receive(name=None, phone="60111111111")
    receive(name="x" * 500, phone="60111111112")
    names = {row["name"] for row in client.get("/customers/").get_json()}
    assert names == {PHONE, "60111111111", "x" * 120}
