"""The pretend Graph API's memory: what it was sent, how it misbehaves, what it knows."""

import json
import os
import threading
import time
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN, SECRET, VERIFY_TOKEN = "EAAtoken", "app-secret", "verify-me"
PHONE_ID, BUSINESS_ID = "106540352242922", "102290129340398"
MESSAGES = {
    100: "(#100) Invalid parameter",
    190: "Error validating access token: Session has expired",
    130429: "(#130429) Rate limit hit",
    131000: "(#131000) Something went wrong",
    131026: "(#131026) Message undeliverable",
    131047: "(#131047) Re-engagement message",
    131056: "(#131056) (Business Account, Consumer Account) pair rate limit hit",
}
STATUSES = {190: 401, 0: 401, 10: 403, 4: 429, 130429: 429, 131000: 500, 131016: 503, 2: 503}


@dataclass(kw_only=True)
class Misbehaviour:
    """Changed by `POST /control` while it runs; percentages are of sends."""

    refused: dict[str, int] = field(default_factory=dict)
    """Code for each send to this phone."""
    codes: list[int] = field(default_factory=list)
    """Codes of the next sends, first one first."""
    lost_answers: int = 0
    """So many of the next sends are taken, and the connection is closed without a word."""
    broken_answers: int = 0
    """…are taken, and answered with something that is not JSON."""
    bare_errors: int = 0
    """…are taken, and answered 502 by something before WhatsApp."""
    stall: float = 0.0
    """Seconds that each send's answer takes; the message is taken before."""
    lost_percent: int = 0
    code_percent: dict[str, int] = field(default_factory=dict)
    """Chance of each code."""
    token_refused: bool = False
    delivers: bool = True
    reads: bool = True
    delivered_after: float = 0.1
    read_after: float = 0.3
    webhooks_held: bool = False
    doubled: bool = False
    """Bring everything twice."""
    shuffled: bool = False
    """In any order, in batches put together anew each time."""
    batch: int = 20


class Account:
    """One phone number. Its log is fsynced before a send is answered, and read again at start."""

    def __init__(self, log: Path, *, token: str = TOKEN) -> None:
        self.token = token
        self.misbehaviour = Misbehaviour()
        self.templates: list[dict[str, Any]] = []
        self.media: dict[str, tuple[str, bytes]] = {}
        self.calls: Counter[str] = Counter()
        self.read: list[str] = []
        """Ids of customers' messages that were marked as read, in order."""
        self._lock = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log.open("a+b", buffering=0)
        self._log.seek(0)
        self._entries: list[dict[str, Any]] = [json.loads(line) for line in self._log]

    def close(self) -> None:
        self._log.close()

    def entries(self) -> list[dict[str, Any]]:
        """What it would have brought to customers, in order."""
        with self._lock:
            return list(self._entries)

    def take(self, body: dict[str, Any]) -> dict[str, Any]:
        """Write a send down for good; returns its entry."""
        with self._lock:
            number = len(self._entries) + 1
            entry = {
                "order": number,
                "wamid": make_wamid(body["to"], f"out{number}"),
                "to": body["to"],
                "text": (body.get("text") or {}).get("body"),
                "template": body.get("template"),
                "tracker": body.get("biz_opaque_callback_data"),
                "at": time.time(),
            }
            self._log.write(json.dumps(entry).encode() + b"\n")
            os.fsync(self._log.fileno())
            self._entries.append(entry)
            return entry

    def spend(self, name: str) -> bool:
        """Whether one of the so many ordered faults is to happen now."""
        with self._lock:
            left: int = getattr(self.misbehaviour, name)
            setattr(self.misbehaviour, name, max(0, left - 1))
            return left > 0

    def next_code(self) -> int | None:
        with self._lock:
            return self.misbehaviour.codes.pop(0) if self.misbehaviour.codes else None


def make_wamid(phone: str, unique: str) -> str:
    return "wamid." + b64encode(f"{phone}:{unique}".encode()).decode()


def describe_error(code: int, *, subcode: int | None = None) -> tuple[int, dict[str, Any]]:
    """Status and body as in Meta's published examples."""
    error: dict[str, Any] = {
        "message": MESSAGES.get(code, f"(#{code}) refused on order"),
        "type": "OAuthException",
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": "As ordered by a test."},
        "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
    }
    if subcode is not None:
        error["error_subcode"] = subcode
    return STATUSES.get(code, 400), {"error": error}
