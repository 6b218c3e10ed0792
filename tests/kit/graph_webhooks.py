"""Brings updates to the webhook as Meta does: signed, in batches, again until they are taken."""

import hashlib
import hmac
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.kit.graph_account import BUSINESS_ID, PHONE_ID, SECRET, Account

AGAIN_AFTER = 0.3


@dataclass(kw_only=True)
class Item:
    """One message or status, and how many times it is still to be brought."""

    kind: str
    part: dict[str, Any]
    due: float
    copies: int
    contact: dict[str, Any] = field(default_factory=dict)


def make_update(changes: Sequence[Sequence[Item]]) -> dict[str, Any]:
    """One update with a change for each group of items."""
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": BUSINESS_ID, "changes": [_make_change(items) for items in changes]}],
    }


def _make_change(items: Sequence[Item]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550783881", "phone_number_id": PHONE_ID},
    }
    for item in items:
        value.setdefault(item.kind, []).append(item.part)
        if item.contact and item.contact not in value.setdefault("contacts", []):
            value["contacts"].append(item.contact)
    return {"field": "messages", "value": value}


def sign(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


class Courier:
    def __init__(self, account: Account, webhook: str, *, seed: int = 0) -> None:
        self.webhook = webhook
        self.brought = 0
        """Items that were taken, repeats too."""
        self._account = account
        self._random = random.Random(seed)
        self._items: list[Item] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
        self._client = httpx.Client(timeout=10, trust_env=False)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        self._thread.join(15)
        self._client.close()

    def add(
        self, kind: str, part: dict[str, Any], *, after: float = 0.0, contact: Any = None
    ) -> None:
        copies = 2 if self._account.misbehaviour.doubled else 1
        item = Item(
            kind=kind,
            part=part,
            due=time.monotonic() + after,
            copies=copies,
            contact=contact or {},
        )
        with self._lock:
            self._items.append(item)
        self._wake.set()

    def waiting(self) -> int:
        """What is still to be brought."""
        with self._lock:
            return len(self._items)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            batch = self._choose()
            if not batch:
                self._wake.wait(0.05)
            elif not self._bring(batch):
                self._stopping.wait(AGAIN_AFTER)

    def _choose(self) -> list[Item]:
        ordered = self._account.misbehaviour
        if ordered.webhooks_held:
            return []
        with self._lock:
            due = [item for item in self._items if item.due <= time.monotonic()]
        if ordered.shuffled:
            self._random.shuffle(due)
            return due[: self._random.randint(1, ordered.batch)]
        return due[: ordered.batch]

    def _bring(self, batch: list[Item]) -> bool:
        raw = json.dumps(make_update(self._regroup(batch))).encode()
        headers = {"X-Hub-Signature-256": sign(raw), "Content-Type": "application/json"}
        try:
            answer = self._client.post(self.webhook, content=raw, headers=headers)
        except httpx.HTTPError:
            return False  # Taken or not, nobody knows: it comes again.
        if answer.status_code != 200:
            return False
        with self._lock:
            self.brought += len(batch)
            for item in batch:
                item.copies -= 1
            self._items = [item for item in self._items if item.copies > 0]
        return True

    def _regroup(self, batch: list[Item]) -> list[list[Item]]:
        if not self._account.misbehaviour.shuffled or len(batch) < 2:
            return [batch]
        cut = self._random.randint(1, len(batch) - 1)
        return [batch[:cut], batch[cut:]]
