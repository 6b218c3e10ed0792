"""Sign-in in production, on real processes: the owner's link, and a session that is ended."""

import re
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import StackFactory
from tests.kit.accounts import PASSWORD
from tests.kit.stack import PRODUCTION, Stack
from tests.kit.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.timeout(400)]
LINK = re.compile(r"/auth/setup\?token=(\S+)")


@pytest.fixture
def stack(make_stack: StackFactory) -> Iterator[Stack]:
    stack = make_stack(settings=PRODUCTION | {"WEB_CONCURRENCY": "2"})
    stack.start("web")
    yield stack


def links(stack: Stack) -> list[str]:
    return LINK.findall(stack.programs["web"].output())


def sign_up(stack: Stack) -> dict[str, str]:
    """Become the owner by the link; returns the headers of a browser that is signed in.

    By hand, since a cookie that is for TLS alone is not sent over this connection.
    """
    eventually(lambda: links(stack), timeout=60)
    body = {"token": links(stack)[0], "name": "Mia", "login": "mia", "password": PASSWORD}
    answer = httpx.post(stack.url("web", "/auth/setup"), json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-crm_session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert not re.search(r"\d", answer.headers["Server"]), "the server tells its version"
    return {"Cookie": cookie.split(";")[0], "X-CSRF-Token": answer.json()["csrf_token"]}


def test_the_first_start_prints_one_link_and_a_start_with_an_owner_none(stack: Stack) -> None:
    headers = sign_up(stack)
    assert len(links(stack)) == 1
    url = stack.url("web", "/customers/")
    assert httpx.get(url).status_code == 401
    assert httpx.get(url, headers=headers).json() == []
    body = {"name": "MK Gan", "phone": "60123456789"}
    assert httpx.post(url, headers=headers, json=body, timeout=30).status_code == 201
    stack.restart("web")
    assert httpx.get(url, headers=headers).status_code == 200
    assert "active" in stack.command("agents", "list")
    assert stack.command("agents", "setup-link") == ""
    assert len(links(stack)) == 1


def test_an_agent_who_is_disabled_by_command_loses_session_and_stream_within_a_minute(
    stack: Stack,
) -> None:
    headers = sign_up(stack)
    is_open, is_over = threading.Event(), threading.Event()

    def listen() -> None:
        stream = stack.url("web", "/messages/events/stream")
        with httpx.stream("GET", stream, headers=headers, timeout=70) as answer:
            for _ in answer.iter_lines():
                is_open.set()
        is_over.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    assert is_open.wait(20)
    assert "may not sign in" in stack.command("agents", "disable", "mia")
    me = stack.url("web", "/auth/me")
    eventually(lambda: httpx.get(me, headers=headers).status_code == 401, timeout=15)
    assert is_over.wait(60)
    listener.join(10)
    assert httpx.get(me, headers=headers).status_code == 401
