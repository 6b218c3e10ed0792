"""The driver `cloud`: the templates it lists, and the files it fetches."""

import pytest

from gateway.drivers.base import DriverState, PermanentError, TemporaryError
from gateway.drivers.cloud.media import may_have_token
from gateway.drivers.events import Template


def template(name: str, body: str, status: str = "APPROVED", **more: object) -> dict:
    parts = [{"type": "BODY", "text": body}, *more.pop("parts", [])]
    base = {"name": name, "language": "en_US", "category": "UTILITY", "status": status}
    return base | {"components": parts} | more


def test_approved_templates_are_listed_from_every_page_and_remembered(cloud, graph):
    numbered = [template(f"t{number:03}", "Hi {{1}}, {{2}}") for number in range(230)]
    graph.account.templates = [*numbered, template("draft", "no", "PENDING")]
    found = cloud.templates()
    assert len(found) == 230
    assert found[0] == Template(
        name="t000", language="en_US", category="utility", body="Hi {{1}}, {{2}}", params=2
    )
    before = sum(graph.account.calls.values())
    assert cloud.templates() == found
    assert sum(graph.account.calls.values()) == before


def test_templates_that_cannot_be_filled_are_not_listed(cloud, graph):
    url = {"type": "URL", "url": "https://a.b/{{1}}"}
    graph.account.templates = [
        template("plain", "Hi"),
        template("named", "Hi {{first_name}}"),
        template("picture", "Hi", parts=[{"type": "HEADER", "format": "IMAGE"}]),
        template("title", "Hi", parts=[{"type": "HEADER", "format": "TEXT", "text": "{{1}}"}]),
        template("link", "Hi", parts=[{"type": "BUTTONS", "buttons": [url]}]),
        template("code", "Hi", parts=[{"type": "BUTTONS", "buttons": [{"type": "OTP"}]}]),
    ]
    assert [found.name for found in cloud.templates()] == ["plain"]


@pytest.mark.parametrize("business_id", ["", "999"])
def test_templates_without_their_account_name_the_variable(connect_cloud, business_id):
    cloud = connect_cloud(business_id=business_id)
    with pytest.raises(PermanentError, match="WHATSAPP_BUSINESS_ID"):
        cloud.templates()


def test_a_file_comes_piece_by_piece(cloud, graph):
    content = bytes(range(256)) * 1000
    graph.account.media["1003383421387256"] = ("image/jpeg", content)
    pieces = list(cloud.fetch_media("1003383421387256"))
    assert b"".join(pieces) == content
    assert len(pieces) > 1


def test_a_file_that_whatsapp_has_dropped_is_final(cloud, graph):
    with pytest.raises(PermanentError) as raised:
        cloud.fetch_media("1")
    assert raised.value.code == "media_expired"
    graph.account.media["2"] = ("image/jpeg", b"x")
    pieces = cloud.fetch_media("2")
    graph.account.media.clear()
    with pytest.raises(PermanentError) as raised:
        list(pieces)
    assert raised.value.code == "media_expired"


@pytest.mark.parametrize("code", [190, 10, 200, 299, 368])
def test_a_refused_account_loses_no_file(cloud, graph, code):
    graph.account.media["1"] = ("image/jpeg", b"x")
    graph.misbehave(codes=[code])
    with pytest.raises(TemporaryError) as raised:
        cloud.fetch_media("1")
    assert raised.value.delay >= 600
    assert cloud.state() is not DriverState.READY
    assert cloud.advice()
    assert list(cloud.fetch_media("1")) == [b"x"]


def test_a_file_of_a_server_that_is_away_may_be_asked_for_again(cloud, graph):
    graph.go_away()
    with pytest.raises(TemporaryError):
        cloud.fetch_media("1")


@pytest.mark.parametrize("reference", ["", "../1", "1?fields=x", "http://evil.example"])
def test_only_an_id_is_asked_for(cloud, reference):
    with pytest.raises(PermanentError):
        cloud.fetch_media(reference)


@pytest.mark.parametrize(
    ("graph_url", "url", "may"),
    [
        ("https://graph.facebook.com", "https://lookaside.fbsbx.com/whatsapp_business/x", True),
        ("https://graph.facebook.com", "https://media.fmaa1-1.fna.whatsapp.net/x", True),
        ("https://graph.facebook.com", "https://graph.facebook.com/x", True),
        ("https://graph.facebook.com", "http://lookaside.fbsbx.com/x", False),
        ("https://graph.facebook.com", "https://evilfbsbx.com/x", False),
        ("https://graph.facebook.com", "https://fbsbx.com.evil.example/x", False),
        ("https://graph.facebook.com", "https://fbsbx.com@evil.example/x", False),
        ("https://graph.facebook.com", "http://127.0.0.1:80/x", False),
        ("http://127.0.0.1:80", "http://127.0.0.1:80/x", True),
        ("http://127.0.0.1:80", "http://127.0.0.1:81/x", False),
        ("https://graph.facebook.com", "", False),
    ],
)
def test_the_token_goes_to_meta_s_hosts_only(graph_url, url, may):
    assert may_have_token(url, graph_url) is may
