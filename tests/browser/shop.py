"""What customers, colleagues and WhatsApp do while a test looks at the page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
from sqlalchemy import create_engine, update

from config.addresses import normalize_database_url
from crm.models import Message
from tests.kit.stack import Stack
from tests.kit.waiting import eventually

GOOD_BEHAVIOUR: dict[str, object] = {
    "connection": "ready",
    "refused": [],
    "reads": True,
    "delivered_after": [0.1, 0.3],
    "read_after": [0.4, 0.8],
}
_numbers = count(1)


@dataclass(frozen=True)
class Customer:
    id: int
    name: str
    phone: str


class Shop:
    """The running product as everybody but the page's user sees it."""

    def __init__(self, stack: Stack, headers: dict[str, str] | None = None) -> None:
        self.stack = stack
        self.api = httpx.Client(
            base_url=stack.url("web"), headers=headers, timeout=60, trust_env=False
        )
        self._gateway = httpx.Client(base_url=stack.url("gateway"), timeout=60, trust_env=False)

    def close(self) -> None:
        self.api.close()
        self._gateway.close()

    def customer(self, name: str, **more: object) -> Customer:
        """A new customer with a phone of their own."""
        phone = new_phone()
        body = {"name": name, "phone": phone, **more}
        made = self.api.post("/customers/", json=body).raise_for_status().json()
        return Customer(made["id"], name, phone)

    def write(self, customer: Customer, *texts: str, name: str | None = None) -> None:
        """The customer writes, on their own phone; returns when the backend has it."""
        for text in texts:
            body = {"phone": customer.phone, "text": text, "name": name or customer.name}
            self._gateway.post("/simulator/inbound", json=body).raise_for_status()
        eventually(lambda: self.texts(customer)[-len(texts) :] == [*texts], timeout=30)

    def answer(self, customer: Customer, text: str) -> dict[str, Any]:
        """A colleague answers, elsewhere."""
        body = {"customer_id": customer.id, "content": text}
        answer = self.api.post("/messages/send", json=body).raise_for_status()
        return dict(answer.json())

    def messages(self, customer: Customer) -> list[dict[str, Any]]:
        return list(self.api.get(f"/messages/{customer.id}").raise_for_status().json())

    def texts(self, customer: Customer) -> list[str]:
        return [message["content"] for message in self.messages(customer)]

    def unread(self, customer: Customer) -> int:
        found = self.api.get("/customers/summary", params={"search": customer.phone})
        return int(found.raise_for_status().json()[0]["unread_count"])

    def change(self, message_id: int, *, was: str, **columns: object) -> bool:
        """A message's row, past every process: for what happens only once in many years.

        False where its `dispatch` is another one: a worker that has it goes on with what it has.
        """
        engine = create_engine(normalize_database_url(self.stack.database_url))
        found = update(Message).where(Message.id == message_id, Message.dispatch == was)
        with engine.begin() as connection:
            changed = connection.execute(found.values(**columns)).rowcount
        engine.dispose()
        return changed == 1

    def erase(self, customer: Customer) -> None:
        """With every message, here and in the gateway."""
        self.api.delete(f"/customers/{customer.id}").raise_for_status()

    def received(self, customer: Customer) -> list[str]:
        """What truly arrived on the customer's phone."""
        log = self._gateway.get("/simulator/log").raise_for_status().json()
        return [entry["text"] for entry in log if entry["to"] == customer.phone]

    def misbehave(self, **how: object) -> None:
        """Change the pretend WhatsApp."""
        self._gateway.post("/simulator/misbehave", json=how).raise_for_status()

    @contextmanager
    def misbehaving(self, **how: object) -> Iterator[None]:
        """Until the end of the block."""
        self.misbehave(**how)
        try:
            yield
        finally:
            self.misbehave(**GOOD_BEHAVIOUR)


def new_phone() -> str:
    """A Malaysian mobile number that nobody has yet."""
    return f"6012{next(_numbers):07}"
