"""What browsers get of the gateway: its state, codes, templates and files, from nobody else."""

from typing import Any

import httpx
import pytest
from flask.testing import FlaskClient

from tests.kit.app import Backend
from tests.kit.fixtures import PHONE, Make

GONE = httpx.ConnectError("refused")
MEDIA_ID = "iQ8rzJ3v1mV0bq7w"
FILE = {"id": MEDIA_ID, "kind": "image", "mime": "image/png", "size": 3, "state": "stored"}
SHOWN = {
    "kind": "image", "mime": "image/png", "size": 3, "name": None, "state": "stored",
    "url": f"/media/{MEDIA_ID}",
}  # fmt: skip
PUSHED = {"state": "degraded", "ready": False, "need_qr": False, "driver": "web", "advice": "Wait."}


def test_the_gateways_word_is_passed_on(client: FlaskClient, backend: Backend) -> None:
    status = {"ready": True, "need_qr": False, "session_active": True, "state": "ready"}
    backend.gateway.answers = {"/status": (200, status), "/qr": (200, {"qr": "2@", "ready": False})}
    assert client.get("/gateway/status").get_json() == status
    assert client.get("/gateway/qr").get_json() == {"qr": "2@", "ready": False}


def test_a_gateway_that_is_away_is_told_as_such(client: FlaskClient, backend: Backend) -> None:
    backend.gateway.fault = GONE
    status = client.get("/gateway/status")
    assert (status.status_code, status.get_json()["state"]) == (200, "unreachable")
    assert status.get_json()["ready"] is False
    code = client.get("/gateway/qr")
    assert (code.status_code, code.headers["Retry-After"]) == (503, "5")
    assert code.get_json() == {"detail": "The WhatsApp gateway cannot be reached."}


def test_the_code_comes_as_a_picture_where_one_is_asked_for(
    client: FlaskClient, backend: Backend
) -> None:
    picture = httpx.Response(200, content=b"<svg/>", headers={"Content-Type": "image/svg+xml"})
    backend.gateway.answers = {"/qr": picture}
    answer = client.get("/gateway/qr", headers={"Accept": "image/svg+xml"})
    assert (answer.data, answer.content_type) == (b"<svg/>", "image/svg+xml")
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == (
        "no-store",
        "Accept, Cookie",
    )
    assert backend.gateway.requests[-1].headers["Accept"] == "image/svg+xml"


def test_a_new_round_of_codes_is_ordered_at_the_gateway(
    client: FlaskClient, backend: Backend
) -> None:
    backend.gateway.answers = {"/qr": (200, {"qr": "2@new", "ready": False})}
    assert client.post("/gateway/qr").get_json() == {"qr": "2@new", "ready": False}
    assert [request.method for request in backend.gateway.requests] == ["POST", "GET"]


def test_templates_are_listed_and_a_gateway_without_any_has_none(
    client: FlaskClient, backend: Backend
) -> None:
    assert client.get("/templates").get_json() == []
    hello = {
        "name": "hello", "language": "en_US", "category": "UTILITY", "body": "Hi", "params": 0
    }  # fmt: skip
    backend.gateway.answers = {"/templates": (200, {"templates": [hello]})}
    assert client.get("/templates").get_json() == [hello]


def test_many_templates_are_no_broken_answer(client: FlaskClient, backend: Backend) -> None:
    many = [{"name": f"t{n}", "language": "en", "body": "x" * 500} for n in range(500)]
    backend.gateway.answers = {"/templates": (200, {"templates": many})}
    assert len(client.get("/templates").get_json()) == 500


def test_templates_that_a_setting_hides_name_it(client: FlaskClient, backend: Backend) -> None:
    backend.gateway.answers = {"/templates": (422, {"detail": "Set WHATSAPP_BUSINESS_ID."})}
    answer = client.get("/templates")
    detail = answer.get_json()["detail"]
    assert (answer.status_code, "WHATSAPP_BUSINESS_ID" in detail) == (422, True)


def test_without_a_code_there_is_no_picture_of_it(client: FlaskClient, backend: Backend) -> None:
    answer = client.get("/gateway/qr", headers={"Accept": "image/svg+xml"})
    assert (answer.status_code, "code" in answer.get_json()["detail"]) == (404, True)


def test_a_pushed_state_reaches_the_browsers_once(client: FlaskClient, backend: Backend) -> None:
    for _ in range(2):
        assert client.post("/webhooks/whatsapp/status", json=PUSHED).status_code == 200
    assert backend.event_types() == ["gateway_status"]
    assert backend.events()[-1]["gateway"] == PUSHED
    healthy = {"state": "ready", "ready": True, "advice": None}
    client.post("/webhooks/whatsapp/status", json=healthy)
    told = backend.events()[-1]["gateway"]
    assert told == {"state": "ready", "ready": True, "need_qr": False, "driver": "web"}
    assert client.post("/webhooks/whatsapp/status", json={}).status_code == 422


def test_a_file_comes_from_the_gateway_and_can_do_no_harm(
    client: FlaskClient, backend: Backend
) -> None:
    headers = {"Content-Type": "text/html", "Content-Disposition": "attachment", "Set-Cookie": "x"}
    file = httpx.Response(206, content=b"<script>", headers=headers)
    backend.gateway.answers = {f"/media/{MEDIA_ID}": file}
    answer = client.get(f"/media/{MEDIA_ID}", headers={"Range": "bytes=0-7"})
    assert (answer.status_code, answer.data) == (206, b"<script>")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    (asked,) = backend.gateway.requests
    assert (asked.url.host, asked.headers["Range"]) == ("gateway.test", "bytes=0-7")


@pytest.mark.parametrize(("told", "status"), [(404, 404), (409, 409), (425, 409), (410, 410)])
def test_a_file_that_is_not_there_says_why(
    client: FlaskClient, backend: Backend, told: int, status: int
) -> None:
    backend.gateway.answers = {f"/media/{MEDIA_ID}": (told, {"detail": "x"})}
    answer = client.get(f"/media/{MEDIA_ID}")
    assert (answer.status_code, list(answer.get_json())) == (status, ["detail"])


@pytest.mark.parametrize("media_id", ["short", "..%2f..%2fstatus", "a?b=cdefghi", "x" * 65])
def test_only_ids_of_files_are_asked_for(
    client: FlaskClient, backend: Backend, media_id: str
) -> None:
    assert client.get(f"/media/{media_id}").status_code == 404
    assert backend.gateway.requests == []


def test_without_the_gateway_a_file_is_a_503(client: FlaskClient, backend: Backend) -> None:
    backend.gateway.fault = GONE
    answer = client.get(f"/media/{MEDIA_ID}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_message_shows_its_file_and_what_became_of_it(
    client: FlaskClient, backend: Backend
) -> None:
    body = {"phone": PHONE, "whatsapp_id": "in-1", "media": FILE | {"state": "pending"}}
    message = client.post("/messages/inbox", json=body).get_json()
    assert (message["content"], message["media"]) == ("[media]", SHOWN | {"state": "pending"})
    change = {"phone": PHONE, "whatsapp_id": "in-1", "media": FILE}
    for _ in range(2):
        assert client.post("/messages/media", json=change).get_json()["media"] == SHOWN
    assert backend.event_types()[-2:] == ["inbound_message", "message_status"]
    assert backend.events()[-1]["message"]["media"] == SHOWN


@pytest.mark.parametrize("media", ["base64…", 1, [], {"id": "../../etc"}, {"url": "http://x"}])
def test_another_gateways_idea_of_media_is_no_error(client: FlaskClient, media: Any) -> None:
    body = {"phone": PHONE, "content": "Look", "media": media}
    answer = client.post("/messages/inbox", json=body)
    assert (answer.status_code, answer.get_json()["media"]) == (201, None)
    told = client.post("/messages/media", json=body | {"whatsapp_id": "in-1"})
    assert told.status_code == 422


def test_the_file_of_an_unknown_message_is_a_404(client: FlaskClient, receive: Make) -> None:
    change = {"phone": PHONE, "whatsapp_id": "in-9", "media": FILE}
    assert client.post("/messages/media", json=change).status_code == 404
    receive(whatsapp_id="in-1")
    assert client.post("/messages/media", json=change).status_code == 404


def test_a_picture_may_be_a_file_of_the_gateways(client: FlaskClient, receive: Make) -> None:
    receive(whatsapp_id="in-1")
    answer = client.post("/customers/photo", json={"phone": PHONE, "media_id": MEDIA_ID})
    assert answer.get_json()["photo_url"] == f"/media/{MEDIA_ID}"
    assert client.post("/customers/photo", json={"phone": PHONE}).status_code == 422
