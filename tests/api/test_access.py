"""Who may call what: the internal token, loopback, sign-in, and pages of other origins."""

import pytest
from flask.testing import FlaskClient

from tests.kit.app import Backend

OLD, NEW = "o" * 40, "n" * 40
INTERNAL = ["/customers/photo", "/messages/inbox", "/messages/ack", "/messages/map",
            "/messages/failed", "/webhooks/whatsapp/seen"]  # fmt: skip
AGENT = [("GET", "/customers/summary"), ("GET", "/customers/"), ("POST", "/customers/"),
         ("GET", "/customers/99"), ("PATCH", "/customers/99"), ("DELETE", "/customers/99"),
         ("GET", "/messages/99"), ("GET", "/messages"), ("POST", "/messages/send"),
         ("POST", "/messages/99/retry"), ("POST", "/messages/99/cancel"),
         ("POST", "/messages/retry_failed"), ("POST", "/messages/99/mark_read"),
         ("GET", "/messages/events/stream"), ("GET", "/gateway/status"), ("GET", "/gateway/qr"),
         ("GET", "/metrics")]  # fmt: skip
BROKEN = {"data": b"{", "content_type": "application/json"}
STRANGER = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def with_token(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(backend.app.config, "INTERNAL_TOKENS", (NEW, OLD))


@pytest.mark.parametrize("path", INTERNAL)
def test_without_a_token_internal_endpoints_answer_this_machine_only(
    client: FlaskClient, path: str
) -> None:
    for address in ("127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"):
        answer = client.post(path, environ_overrides={"REMOTE_ADDR": address}, **BROKEN)
        assert answer.status_code == 400
    for address in ("203.0.113.9", "10.0.0.1", "::ffff:10.0.0.1", "", "localhost.evil.net"):
        answer = client.post(path, environ_overrides={"REMOTE_ADDR": address}, **BROKEN)
        assert answer.status_code == 401


@pytest.mark.parametrize("header", ["Origin", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded",
    "x-forwarded-host"])  # fmt: skip
@pytest.mark.parametrize("path", INTERNAL)
def test_without_a_token_nobody_speaks_through_a_browser_or_a_proxy(
    client: FlaskClient, path: str, header: str
) -> None:
    answer = client.post(path, headers={header: "http://localhost:3000"}, **BROKEN)
    assert answer.status_code == 401


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize("path", INTERNAL)
def test_with_a_token_both_values_are_accepted_and_loopback_alone_is_not(
    client: FlaskClient, path: str
) -> None:
    for token in (NEW, OLD):
        headers = {"Authorization": f"bearer {token}", "X-Forwarded-For": "1.2.3.4"}
        answer = client.post(path, headers=headers, environ_overrides=STRANGER, **BROKEN)
        assert answer.status_code == 400
    for value in ("", "Bearer", f"Bearer {NEW}x", f"Basic {NEW}", NEW, f"Bearer {NEW},{OLD}",
                  "Bearer \xff"):  # fmt: skip
        answer = client.post(path, headers={"Authorization": value}, **BROKEN)
        assert answer.status_code == 401, value
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.usefixtures("with_sign_in")
@pytest.mark.parametrize(("method", "path"), AGENT)
def test_whoever_is_not_signed_in_is_told_so_before_body_and_id_are_looked_at(
    client: FlaskClient, method: str, path: str
) -> None:
    overrides = {"environ_overrides": STRANGER}
    for body in (BROKEN, {"data": b"x" * 300 * 1024}, {}):
        answer = client.open(path, method=method, **overrides, **body)
        assert answer.status_code == 401
        assert answer.get_json() == {"detail": "Sign in first."}


@pytest.mark.usefixtures("with_sign_in")
@pytest.mark.parametrize("path", ["/healthz", "/docs", "/redoc", "/openapi.json",
    "/docs/assets/swagger/swagger-ui.css"])  # fmt: skip
def test_health_and_documents_are_open_to_strangers(client: FlaskClient, path: str) -> None:
    with client.get(path, environ_overrides=STRANGER) as answer:
        assert answer.status_code == 200


@pytest.mark.usefixtures("with_sign_in")
def test_readiness_tells_strangers_no_details(client: FlaskClient) -> None:
    answer = client.get("/readyz", environ_overrides=STRANGER)
    assert answer.status_code in {200, 503}
    assert answer.get_json().keys() == {"status"}


@pytest.mark.usefixtures("with_sign_in", "with_token")
def test_figures_are_given_for_the_internal_token(client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {OLD}"}
    answer = client.get("/metrics", headers=headers, environ_overrides=STRANGER)
    assert answer.status_code == 200
    assert client.get("/metrics").status_code == 401
    assert client.get("/customers/summary", headers=headers).status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:3001",
    "https://localhost:3000", "http://localhost:3000.evil.example"])  # fmt: skip
def test_a_page_of_another_origin_may_not_write(client: FlaskClient, origin: str) -> None:
    for method, path in AGENT:
        if method == "GET":
            continue
        answer = client.open(path, method=method, headers={"Origin": origin}, **BROKEN)
        assert answer.status_code == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    answer = client.get("/customers/summary", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "192.168.0.7"])
def test_a_name_that_was_pointed_at_this_machine_gets_nothing(
    client: FlaskClient, host: str
) -> None:
    """DNS rebinding: such a page is of the same origin, so its Origin and Host agree."""
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert client.get("/customers/summary", headers=headers).status_code == 403
    body = {"name": "x", "phone": "60123456789"}
    assert client.post("/customers/", json=body, headers=headers).status_code == 403
    assert client.get("/customers/", headers={"Host": "[::1]:8000"}).get_json() == []


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.evil.example:8000", "", "[::1"])
def test_a_name_that_was_pointed_at_this_machine_is_no_service_of_ours(
    client: FlaskClient, host: str
) -> None:
    """A page's own GET has no Origin, and all else that it sends is a browser's of this machine."""
    headers = {"Host": host}
    assert client.get("/metrics", headers=headers).status_code == 403
    for path in INTERNAL:
        assert client.post(path, headers=headers, **BROKEN).status_code == 401


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_services_on_this_machine_call_it_by_its_own_names(client: FlaskClient, host: str) -> None:
    headers = {"Host": host}
    assert client.get("/metrics", headers=headers).status_code == 200
    for path in INTERNAL:
        assert client.post(path, headers=headers, **BROKEN).status_code == 400


@pytest.mark.usefixtures("with_token")
def test_with_a_token_a_service_may_call_by_any_name(client: FlaskClient) -> None:
    headers = {"Host": "web.internal:8000", "Authorization": f"Bearer {NEW}"}
    answer = client.get("/metrics", headers=headers, environ_overrides=STRANGER)
    assert answer.status_code == 200


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://localhost"])
def test_our_own_pages_may_write(client: FlaskClient, origin: str) -> None:
    body = {"name": "x", "phone": "60123456789"}
    answer = client.post("/customers/", json=body, headers={"Origin": origin})
    assert answer.status_code == 201


def test_a_preflight_names_methods_and_headers(client: FlaskClient) -> None:
    asked = {
        "Origin": "http://localhost:3000",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "content-type, idempotency-key, if-none-match, "
        "last-event-id, x-csrf-token",
    }
    answer = client.options("/customers/1", headers=asked)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:3000"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    methods = set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert {"GET", "POST", "PATCH", "DELETE"} <= methods
    allowed = {name.strip() for name in
               answer.headers["Access-Control-Allow-Headers"].casefold().split(",")}  # fmt: skip
    assert allowed == set(asked["Access-Control-Request-Headers"].split(", "))
    answer = client.options("/customers/1", headers=asked | {"Origin": "http://evil.example"})
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/customers/summary", "/nowhere", "/customers/99"])
def test_every_answer_exposes_its_headers_and_varies_by_origin(
    client: FlaskClient, path: str
) -> None:
    answer = client.get(path, headers={"Origin": "http://127.0.0.1:3000"})
    exposed = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed == {"ETag", "Link", "Location", "Retry-After", "X-Request-ID",
                       "X-Stream-Cursor"}  # fmt: skip
    assert "Origin" in answer.headers["Vary"]
