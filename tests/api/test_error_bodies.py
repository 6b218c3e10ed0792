"""Every error is `{"detail": "<one readable sentence>"}`, whatever its status and origin."""

import io
import json

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from tests.kit.app import Backend
from tests.kit.fixtures import Make

JSON = "application/json"


def post(client: FlaskClient, body: bytes | str, path: str = "/customers/") -> TestResponse:
    return client.post(path, data=body, content_type=JSON)


def assert_error(answer: TestResponse, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.mimetype == JSON
    body = answer.get_json()
    assert body.keys() <= {"detail", "errors"}
    assert ("errors" in body) <= (status == 422)
    assert len(body["detail"]) > 5
    assert "Traceback" not in answer.text
    assert answer.headers["X-Request-ID"]
    return body["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": -Infinity}',
        b"[" * 100_000,
        b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"name": ' + b"9" * 5000 + b"}",
        b"\xff\xfe{}",
        "\ufeff{}".encode(),
        b"'name'",
        b"{} {}",
    ],
    ids=lambda body: repr(body[:16]),
)
def test_what_is_no_json_is_a_400(client: FlaskClient, body: bytes) -> None:
    assert_error(post(client, body), 400)


@pytest.mark.parametrize("body", ["[]", "null", "1", '"text"', "true", '[{"name": "x"}]'])
@pytest.mark.parametrize(
    "path", ["/customers/", "/messages/inbox", "/messages/send", "/messages/1/retry"]
)
def test_json_that_is_no_object_is_a_422(client: FlaskClient, path: str, body: str) -> None:
    assert_error(post(client, body, path), 422)


def test_a_body_that_is_not_called_json_is_a_415(client: FlaskClient) -> None:
    body = '{"name": "MK", "phone": "60123456789"}'
    for content_type in ("text/plain", "application/x-www-form-urlencoded", None):
        answer = client.post("/customers/", data=body, content_type=content_type)
        assert_error(answer, 415)
    answer = client.post("/customers/", data=body, content_type="application/json; charset=utf-8")
    assert answer.status_code == 201


def test_invalid_data_names_each_bad_field(client: FlaskClient) -> None:
    answer = client.post("/customers/", json={"name": "", "phone": 5, "status": None})
    detail = assert_error(answer, 422)
    errors = answer.get_json()["errors"]
    assert errors.keys() == {"name", "phone", "status"}
    assert all(isinstance(said, str) for messages in errors.values() for said in messages)
    assert detail.split(":")[0] in errors


def test_an_empty_body_misses_what_is_required(client: FlaskClient) -> None:
    answer = client.post("/messages/send")
    assert_error(answer, 422)
    assert answer.get_json()["errors"].keys() == {"customer_id", "content"}


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/customers/7", "/customers/x", "/customers/0", "/customers/-1", "/messages/7",
     f"/customers/{2**63}", f"/customers/{2**64}", "/customers/" + "9" * 400,
     "/messages/" + "9" * 30,
     "/docs/assets/swagger/../../factory.py",
     "/docs/assets/redoc/nothing.js", "/customers/1.5"],
)  # fmt: skip
def test_an_address_with_nothing_at_it_is_a_404(client: FlaskClient, path: str) -> None:
    assert_error(client.get(path), 404)


@pytest.mark.parametrize(
    "number", [0, -1, 2**63 - 1, 2**63, 2**64, -(2**70), 10**300], ids=lambda n: f"{n:.0e}"
)
def test_an_id_that_no_row_can_have_is_a_404_in_every_body(
    client: FlaskClient, make_customer: Make, number: int
) -> None:
    customer = make_customer()
    for path, body in (
        ("/messages/send", {"customer_id": number, "content": "Hello"}),
        ("/messages/map", {"backend_id": number, "whatsapp_id": "A"}),
        ("/messages/failed", {"backend_id": number, "reason": "no"}),
        ("/webhooks/whatsapp/seen", {"backend_message_id": number, "whatsapp_id": "A"}),
        (f"/messages/{customer['id']}/mark_read", {"up_to": number}),
    ):
        assert_error(post(client, json.dumps(body), path), 404)


@pytest.mark.parametrize("number", ["1", 1.0, 1.5, True, None, [1]])
def test_an_id_that_is_no_integer_is_a_422(client: FlaskClient, number: object) -> None:
    answer = client.post("/messages/send", json={"customer_id": number, "content": "Hello"})
    assert_error(answer, 422)


def test_a_method_that_an_address_does_not_take_is_a_405_with_allow(client: FlaskClient) -> None:
    answer = client.delete("/customers/summary")
    assert_error(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}
    assert_error(client.put("/messages/send", json={}), 405)


def test_a_body_beyond_256_kib_is_a_413_and_at_the_inbox_beyond_32_mib(client: FlaskClient) -> None:
    large = json.dumps({"content": "Hello", "customer_id": 1, "more": "x" * 256 * 1024})
    assert_error(post(client, large, "/messages/send"), 413)
    huge = json.dumps({"media_base64": "x" * 32 * 1024 * 1024})
    assert_error(post(client, huge, "/messages/inbox"), 413)


def test_a_chunked_body_beyond_the_limit_is_a_413(client: FlaskClient) -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = client.post(
        "/messages/send",
        input_stream=io.BytesIO(b'{"content": "' + b"x" * 300 * 1024),
        content_type=JSON,
        environ_overrides=chunked,
    )
    assert_error(answer, 413)


def test_a_media_message_of_some_megabytes_is_taken_at_the_inbox(client: FlaskClient) -> None:
    body = {"phone": "60123456789", "content": "", "media_base64": "x" * 5 * 1024 * 1024}
    answer = client.post("/messages/inbox", json=body)
    assert answer.status_code == 201
    assert answer.get_json()["content"] == "[media]"


def test_a_fault_is_a_500_that_tells_the_request_id_and_no_more(
    client: FlaskClient, backend: Backend
) -> None:
    backend.gateway.fault = RuntimeError("SELECT secret FROM drawer")
    with capture_logs() as lines:
        answer = client.get("/gateway/qr", headers={"X-Request-ID": "quote-me"})
    detail = assert_error(answer, 500)
    assert "quote-me" in detail
    assert "SELECT" not in answer.text
    faults = [line for line in lines if line["event"] == "fault"]
    assert faults[0]["exc_info"] is backend.gateway.fault


def test_a_redirect_stays_a_redirect(client: FlaskClient) -> None:
    answer = client.get("/customers")
    assert answer.status_code == 308
    assert answer.headers["Location"].endswith("/customers/")


def test_nothing_is_stored_when_a_request_is_refused(client: FlaskClient, backend: Backend) -> None:
    before = backend.counts()
    for path, body in (
        ("/customers/", {"name": "x", "phone": "1"}),
        ("/messages/inbox", {"phone": "60123456789", "content": ""}),
        ("/messages/inbox", {"phone": "60123456789", "content": "Hello", "timestamp": "soon"}),
        ("/messages/ack", {"message_id": "A", "ack": 9}),
    ):
        assert_error(client.post(path, json=body), 422)
    assert backend.counts() == before
