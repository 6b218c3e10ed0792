"""The search of the logs finds what is planted, and nothing where nothing is."""

import sys
from pathlib import Path

import httpx
import pytest

from tests.conftest import StackFactory
from tests.kit.leaks import ALWAYS, known, leaks
from tests.kit.programs import Program

TOKEN = "a-token-of-the-tests-0123456789-0123456789"
TEXT = "It left on Tuesday."


def log_of(tmp_path: Path, line: str, **environment: str) -> None:
    """Run a program of ours that logs this."""
    program = Program(
        [sys.executable, "-c", "import sys; print('started'); print(sys.argv[1])", line],
        environment=environment,
        log=tmp_path / "program.log",
    )
    program.start()
    assert program.wait() == 0


@pytest.mark.parametrize(
    "line",
    [
        "path=/customers/60123456789",
        '{"reason": "60111111111 is unknown"}',
        f"refused Bearer {TOKEN}",
        f"said: {TEXT}",
        "cookie crm_session=.eJwlzkEKwjAQQNG7ZO0",
        "hello MK Gan",
    ],
)
def test_what_is_planted_is_found(tmp_path: Path, line: str) -> None:
    request = httpx.Request("POST", "http://crm.test/send", json={"deep": [{"content": TEXT}]})
    cookie = {"Set-Cookie": "crm_session=.eJwlzkEKwjAQQNG7ZO0; Path=/"}
    known.hear(request, httpx.Response(200, headers=cookie, request=request))
    log_of(tmp_path, line, INTERNAL_TOKEN=f"{TOKEN},another")
    assert known.find() == [f"program.log: {line}"]
    log_of(tmp_path, "no more")
    assert known.find() == [], "what was told once is not told again"


@pytest.mark.parametrize(
    "line",
    [
        "request_id=60123456789abcdef", "id=160123456789", "at 1795474896.60123456789",
        "timestamp=2026-11-23T23:18:11.601234Z ms=60.1", "message_id=12 outcome=mapped",
    ],
)  # fmt: skip
def test_ids_and_times_are_taken_for_no_phone(line: str) -> None:
    assert list(leaks(line, [*ALWAYS])) == []


@pytest.mark.processes
def test_what_a_real_process_is_told_is_known_to_be_secret(make_stack: StackFactory) -> None:
    stack = make_stack(settings={"INTERNAL_TOKEN": TOKEN})
    stack.start("web")
    body = {"phone": "60123456789", "content": TEXT}
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(stack.url("web", "/messages/inbox"), json=body, headers=headers, timeout=30)
    assert answer.status_code == 201
    with stack.programs["web"].log.open("a") as log:
        log.write(f"\n{TEXT}\n{TOKEN}\n")
    assert known.find() == [f"web.log: {TEXT}", f"web.log: {TOKEN}"]
