"""Lists: whole or in pages, searched, and 304 where nothing changed."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from crm.models import Message
from tests.kit.app import Backend
from tests.kit.fixtures import Make

LISTS = [
    "/customers/summary",
    "/customers/summary?order=unread",
    "/customers/",
    "/messages/{}",
    "/messages?status=queued",
]


@pytest.fixture
def filled(make_customer: Make, send: Make) -> int:
    """Seven customers, and seven messages to the first; returns its id."""
    customers = [make_customer(name=f"Customer {n}") for n in range(7)]
    for n in range(7):
        send(customers[0]["id"], f"Message {n}")
    return customers[0]["id"]


def pages(client: FlaskClient, path: str, limit: int) -> list[list[dict[str, Any]]]:
    """Every page of a list, by its `Link` headers."""
    address, found = f"{path}{'&' if '?' in path else '?'}limit={limit}", []
    while address:
        answer = client.get(address)
        assert answer.status_code == 200
        found.append(answer.get_json())
        link = answer.headers.get("Link", "")
        assert not link or link.endswith('>; rel="next"')
        address = link.partition(">")[0].removeprefix("<")
    return found


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 3, 7, 500])
def test_pages_hold_every_row_once_and_in_the_order_of_the_whole(
    client: FlaskClient, filled: int, path: str, limit: int
) -> None:
    path = path.format(filled)
    whole = client.get(path).get_json()
    found = pages(client, path, limit)
    assert len(whole) == 7
    assert all(len(page) <= limit for page in found)
    if path.startswith("/messages/"):
        found.reverse()  # the newest page comes first
    assert [row for page in found for row in page] == whole


def test_a_chat_is_oldest_first_and_its_first_page_the_newest(
    client: FlaskClient, filled: int
) -> None:
    chat = [row["content"] for row in client.get(f"/messages/{filled}").get_json()]
    assert chat == [f"Message {n}" for n in range(7)]
    page = client.get(f"/messages/{filled}?limit=2").get_json()
    assert [row["content"] for row in page] == chat[-2:]


def test_customers_are_by_newest_activity_in_the_summary_and_by_id_in_the_list(
    client: FlaskClient, make_customer: Make, receive: Make
) -> None:
    first, second, third = make_customer(), make_customer(), make_customer()
    receive(phone=first["phone"])
    by_activity = [row["id"] for row in client.get("/customers/summary").get_json()]
    assert by_activity == [first["id"], third["id"], second["id"]]
    by_id = [row["id"] for row in client.get("/customers/").get_json()]
    assert by_id == sorted(by_activity)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "limit=1.5", "limit=",
    "limit=-1", "limit=1_0", "cursor=abc", "limit=5&cursor="])  # fmt: skip
@pytest.mark.parametrize("path", LISTS)
def test_a_bad_page_is_a_422(client: FlaskClient, filled: int, path: str, query: str) -> None:
    path = path.format(filled)
    answer = client.get(f"{path}{'&' if '?' in path else '?'}{query}")
    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def cursor(*key: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


@pytest.mark.parametrize("forged", ["!!!", "abc", "=", "é", "AAAA", cursor(), cursor("x"),
    cursor(True), cursor(1.5), cursor(2**63), cursor(2**64 - 1), cursor(2**80), cursor(1, 2, 3),
    cursor("yesterday", 1), cursor("2025-01-01T00:00:00+08:00", 1), cursor("2025-01-01", 2**63),
    cursor("2025-01-01", "1"), cursor(2, "2025-01-01", 1, 1), cursor(1, "soon", 1, 1),
    cursor({"a": 1}), "A" * 500])  # fmt: skip
@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_no_list_gave_out_is_a_422(
    client: FlaskClient, filled: int, path: str, forged: str
) -> None:
    path = path.format(filled)
    answer = client.get(f"{path}{'&' if '?' in path else '?'}limit=2&cursor={forged}")
    assert answer.status_code == 422, answer.text
    assert "cursor" in answer.get_json()["errors"]


def test_a_cursor_may_hold_ids_that_no_row_has_yet(client: FlaskClient, filled: int) -> None:
    late = 2**40
    for path, key in (
        ("/customers/?", cursor(late)),
        ("/customers/summary?", cursor("2025-01-01", late)),
        ("/customers/summary?order=unread&", cursor(0, "2025-01-01", late, late)),
        (f"/messages/{filled}?", cursor(late)),
    ):
        answer = client.get(f"{path}limit=2&cursor={key}")
        assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", ["100% sure", "under_score", "O'Brien", "back\\slash", "a/b",
    'quo"te', "sp ace", "&=?#"])  # fmt: skip
@pytest.mark.parametrize("path", ["/customers/summary", "/customers/"])
def test_a_search_means_its_characters_literally(
    client: FlaskClient, make_customer: Make, name: str, path: str
) -> None:
    wanted = make_customer(name=name)
    make_customer(name="1000 sure underXscore OBrien backslash ab quote space")
    found = client.get(path, query_string={"search": name.upper()}).get_json()
    assert [row["id"] for row in found] == [wanted["id"]]


def test_a_search_finds_name_phone_and_last_message(
    client: FlaskClient, make_customer: Make, receive: Make
) -> None:
    wanted = make_customer(name="Anna", phone="60127878560")
    make_customer(name="Other")
    receive(phone=wanted["phone"], content="About the INVOICE")
    for search in ("anna", "7878", "+60 12-787 8560", "invoice", ""):
        found = client.get("/customers/summary", query_string={"search": search}).get_json()
        assert wanted["id"] in [row["id"] for row in found]
        assert len(found) == (2 if search == "" else 1)
    assert client.get("/customers/summary?search=" + "x" * 201).status_code == 422
    assert client.get("/customers/summary?search=%00").status_code == 422


def test_search_status_and_pages_go_together(client: FlaskClient, make_customer: Make) -> None:
    for n in range(5):
        make_customer(name=f"Match & {n}", status="won")
    make_customer(name="Match & lost", status="lost")
    found = pages(client, "/customers/summary?search=match %26&status=won", 2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert client.get("/customers/?status=nobody").get_json() == []


def test_an_empty_chat_is_a_list_and_an_unknown_one_a_404(
    client: FlaskClient, make_customer: Make
) -> None:
    customer = make_customer()
    for query in ("", "?limit=5"):
        assert client.get(f"/messages/{customer['id']}{query}").get_json() == []
        assert client.get(f"/messages/{customer['id'] + 1}{query}").status_code == 404


@pytest.mark.parametrize("path", LISTS)
def test_what_a_client_has_already_is_a_304(client: FlaskClient, filled: int, path: str) -> None:
    path = path.format(filled)
    tag = client.get(path).headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["X-Stream-Cursor"]
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    other = client.get(f"{path}{'&' if '?' in path else '?'}limit=3")
    assert other.headers["ETag"] != tag


Change = Callable[[FlaskClient, dict[str, Any]], Any]
CHANGES: dict[str, Change] = {
    "new customer": lambda client, message: client.post(
        "/customers/", json={"name": "x", "phone": "60199999999"}
    ),
    "edited": lambda client, message: client.patch(
        f"/customers/{message['customer_id']}", json={"remark": "x"}
    ),
    "deleted": lambda client, message: client.delete(f"/customers/{message['customer_id']}"),
    "inbound": lambda client, message: client.post(
        "/messages/inbox", json={"phone": "60199999999", "content": "x"}
    ),
    "sent": lambda client, message: client.post(
        "/messages/send", json={"customer_id": message["customer_id"], "content": "x"}
    ),
    "mapped": lambda client, message: client.post(
        "/messages/map", json={"backend_id": message["id"], "whatsapp_id": "A"}
    ),
    "failed": lambda client, message: client.post(
        "/messages/failed", json={"backend_id": message["id"]}
    ),
    "cancelled": lambda client, message: client.post(f"/messages/{message['id']}/cancel"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_makes_a_new_etag(
    client: FlaskClient, make_customer: Make, send: Make, change: str
) -> None:
    message = send(make_customer()["id"])
    path = "/customers/summary?order=unread"
    before = client.get(path).headers
    assert CHANGES[change](client, message).status_code < 300
    after = client.get(path, headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert int(after.headers["X-Stream-Cursor"]) > int(before["X-Stream-Cursor"])


def test_the_stream_cursor_is_the_newest_events_id(
    client: FlaskClient, backend: Backend, filled: int
) -> None:
    newest = max(event_id for event_id, _ in backend.published)
    assert client.get("/customers/summary").headers["X-Stream-Cursor"] == str(newest)


@pytest.mark.parametrize("path", LISTS)
def test_every_page_tells_where_the_stream_goes_on(
    client: FlaskClient, backend: Backend, filled: int, path: str
) -> None:
    newest = max(event_id for event_id, _ in backend.published)
    address = f"{path.format(filled)}{'&' if '?' in path else '?'}limit=3"
    for _ in range(3):
        answer = client.get(address)
        assert answer.headers["X-Stream-Cursor"] == str(newest)
        address = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")


@pytest.mark.parametrize("status", ["failed", "unknown"])
def test_what_needs_an_agent_comes_page_by_page_newest_first(
    client: FlaskClient, send_as: Make, status: str
) -> None:
    wanted = [send_as(dispatch=status)["id"] for _ in range(5)]
    send_as(dispatch="queued")
    found = pages(client, f"/messages?status={status}", 2)
    assert [[row["id"] for row in page] for page in found] == [
        [wanted[4], wanted[3]],
        [wanted[2], wanted[1]],
        [wanted[0]],
    ]


def test_head_answers_without_a_body(client: FlaskClient, filled: int) -> None:
    for path in (*LISTS, "/metrics", "/messages/events/stream"):
        answer = client.head(path.format(filled))
        assert (answer.status_code, answer.data) == (200, b"")


def test_a_list_of_some_megabytes_comes_whole(
    client: FlaskClient, backend: Backend, make_customer: Make, send: Make
) -> None:
    customer_id = make_customer()["id"]
    for _ in range(3):
        backend.change(Message, send(customer_id)["id"], content="é" * 1_000_000)
    chat = client.get(f"/messages/{customer_id}").get_json()
    assert [len(message["content"]) for message in chat] == [1_000_000] * 3


@pytest.mark.parametrize(("path", "status"), [("/messages/99999?limit=2", 404),
    ("/messages/99999", 404), ("/customers/?limit=2&cursor=zz", 422)])  # fmt: skip
def test_nobody_has_already_what_does_not_exist(
    client: FlaskClient, path: str, status: int
) -> None:
    for _ in range(2):
        assert client.get(path, headers={"If-None-Match": "*"}).status_code == status
