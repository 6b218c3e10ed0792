"""No log of a program that a test starts tells what only the test and its customers know.

What tests send by httpx is listened to: texts, phones, passwords, tokens, cookies. At the end of
each test all that programs have logged meanwhile is searched for it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from gateway.drivers.simulator.people import CAST
from tests.kit.accounts import PASSWORD

TELLING = {
    "content", "text", "message", "body", "remark", "phone", "to", "lid", "password", "token",
    "old_password", "new_password", "csrf_token",
}  # fmt: skip
SECRET_SETTINGS = (
    "INTERNAL_TOKEN", "SECRET_KEY", "FLOWER_BASIC_AUTH", "WHATSAPP_TOKEN", "WHATSAPP_APP_SECRET",
    "WHATSAPP_VERIFY_TOKEN",
)  # fmt: skip
SHORTEST = 8
"""Characters: a shorter text may stand in a log by chance."""
MOST = 400
"""Secrets of one test that are searched for: a soak sends texts by the thousand, all alike."""
PHONES = re.compile(r"(?<![\w.])(?:60\d{8,10}|5511\d{8,9}|49152\d{8})(?!\w)")
"""What nearly all test phones look like, also those that no test sent by itself."""
ALWAYS = {
    PASSWORD, "MK Gan", "Customer Name",
    *(person.phone for person in CAST), *(person.name for person in CAST),
    *(line for person in CAST for line in person.openings),
}  # fmt: skip


class Leaks:
    """What is secret in this test process, and the logs that must not tell it."""

    def __init__(self) -> None:
        self._secrets: dict[str, None] = {}
        self._searched: dict[Path, int] = {}

    def watch(self, log: Path) -> None:
        """Search this log at the end of the test; it may be written by several in turn."""
        self._searched.setdefault(log, log.stat().st_size if log.exists() else 0)

    def remember(self, *secrets: str) -> None:
        """These are nobody's business."""
        for secret in secrets:
            if len(secret) >= SHORTEST and len(self._secrets) < MOST:
                self._secrets[secret] = None

    def remember_settings(self, settings: Mapping[str, str]) -> None:
        """The passwords and tokens among a process's settings."""
        for name in SECRET_SETTINGS:
            for value in settings.get(name, "").split(","):
                self.remember(value.strip().rpartition(":")[2])

    def hear(self, request: httpx.Request, answer: httpx.Response) -> None:
        """Learn from what was asked and answered."""
        self.remember(request.headers.get("Authorization", "").rpartition(" ")[2])
        for cookie in answer.headers.get_list("Set-Cookie"):
            self.remember(cookie.partition(";")[0].partition("=")[2])
        if request.url.path == "/auth/setup":
            return  # its token is printed on purpose, until there is an owner
        self.remember(*_told(request), *_told(answer))

    def find(self) -> list[str]:
        """Where logs tell what they must not, since they were last asked; and forget all."""
        secrets, self._secrets = [*ALWAYS, *self._secrets], {}
        found = []
        for log, start in self._searched.items():
            if log.exists():
                with log.open("rb") as file:
                    file.seek(start)
                    text = file.read()
                self._searched[log] = start + len(text)
                lines = leaks(text.decode(errors="replace"), secrets)
                found += [f"{log.name}: {line}" for line in lines]
        return found


def leaks(log: str, secrets: list[str]) -> Iterator[str]:
    """The lines of a log that tell a test phone or one of the secrets."""
    told = {secret for secret in secrets if secret in log}
    if told or PHONES.search(log):
        for line in log.splitlines():
            if PHONES.search(line) or any(secret in line for secret in told):
                yield line[:500]


def _told(message: httpx.Request | httpx.Response) -> Iterator[str]:
    try:
        document = json.loads(message.content)
    except (httpx.StreamError, ValueError, RecursionError):
        return
    yield from _telling(document)


def _telling(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for part in document:
            yield from _telling(part)
    elif isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, str) and name in TELLING:
                yield value
            else:
                yield from _telling(value)


known = Leaks()
"""Of this test process."""
