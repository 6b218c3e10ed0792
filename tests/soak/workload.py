"""Agents that write and customers that write back, all as good clients: they repeat what failed.

An agent writes to a customer only when the message before was answered, so that the order in
which a customer's messages were written is known.
"""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO
from uuid import uuid4

import httpx

from tests.soak.stage import Stage, phone_of

AGENTS = 8
INBOUND_SHARE = 0.15
"""Messages from customers, as a share of those to them."""
PATIENCE = 10.0
"""Seconds that a client waits for an answer."""
STRANGERS = 15
"""Phones that nobody knew before; their first messages come twice at once."""
TRY_AGAIN = {408, 425, 429}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A message that the API answered for. `place` counts the messages to this customer."""

    id: int
    key: str
    customer_id: int
    place: int
    text: str
    status: int
    tries: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A customer's message that backend or gateway answered for."""

    whatsapp_id: str
    phone: str
    text: str


class Diary:
    """What the API answered: in memory, and line by line in a file."""

    def __init__(self, path: Path) -> None:
        self.answered: list[Answered] = []
        self.received: list[Received] = []
        self.refused: list[str] = []
        """Answers that no client should ever get for what it asked."""
        self.statuses: Counter[str] = Counter()
        self.slowest = 0.0
        self.places = Counter[int]()
        """Messages written to each customer so far; one agent writes to each."""
        self._lock = threading.Lock()
        self._file: TextIO = path.open("a")

    def note(self, entry: Answered | Received) -> None:
        with self._lock:
            (self.answered if isinstance(entry, Answered) else self.received).append(entry)  # type: ignore[arg-type]
            self._file.write(json.dumps(asdict(entry)) + "\n")
            self._file.flush()

    def count(self, told: str, seconds: float) -> None:
        with self._lock:
            self.statuses[told] += 1
            self.slowest = max(self.slowest, seconds)

    def close(self) -> None:
        self._file.close()


class Workload:
    """So many messages to these customers, spread over so many seconds."""

    def __init__(
        self,
        stage: Stage,
        diary: Diary,
        customers: list[int],
        *,
        messages: int,
        seconds: float,
        is_crowded: Callable[[], bool],
    ) -> None:
        self._stage, self._diary = stage, diary
        self._is_crowded = is_crowded
        self._customers = customers
        self._messages, self._seconds = messages, seconds
        self._run_id = uuid4().hex[:8]
        self._give_up = threading.Event()
        self.ended_at = 0.0
        self._threads: list[threading.Thread] = []
        # One for all: making a client costs more than what it asks for.
        self._client = httpx.Client(
            timeout=PATIENCE,
            trust_env=False,
            limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
        )

    def start(self) -> None:
        for number in range(AGENTS):
            self._begin(self._be_agent, number)
        for number in range(2):
            self._begin(self._be_customers, number)

    def wait(self, timeout: float) -> None:
        """Wait until all is answered. Raises `TimeoutError`."""
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        left = [thread.name for thread in self._threads if thread.is_alive()]
        self._give_up.set()
        self.ended_at = time.time()
        self._client.close()
        if left:
            raise TimeoutError(f"not answered after {timeout:g} s: {left}")

    def _begin(self, what: Callable[[int], None], number: int) -> None:
        name = f"{what.__name__} {number}"
        thread = threading.Thread(target=what, args=(number,), name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _be_agent(self, number: int) -> None:
        mine = self._customers[number::AGENTS]
        rng, places = random.Random(number), self._diary.places
        for turn in self._paced(self._messages // AGENTS):
            while self._is_crowded() and not self._give_up.is_set():
                self._give_up.wait(1)
            customer = rng.choice(mine)
            places[customer] += 1
            self._send(customer, places[customer], f"{self._run_id} {number}.{turn}")

    def _send(self, customer: int, place: int, text: str) -> None:
        key = uuid4().hex
        body = {"customer_id": customer, "content": text}
        answer, tries = self._insist("web", "/messages/send", body, key=key)
        if answer is not None:
            self._diary.note(
                Answered(
                    id=answer.json()["id"],
                    key=key,
                    customer_id=customer,
                    place=place,
                    text=text,
                    status=answer.status_code,
                    tries=tries,
                    at=time.time(),
                )
            )

    def _be_customers(self, number: int) -> None:
        rng = random.Random(100 + number)
        for turn in self._paced(round(self._messages * INBOUND_SHARE / 2)):
            stranger = rng.random() < 0.3
            phone = phone_of(5000 + rng.randrange(STRANGERS)) if stranger else phone_of(turn % 40)
            whatsapp_id = f"IN{self._run_id.upper()}{number}{turn:06d}"
            text = f"{self._run_id} in {number}.{turn}"
            heard = self._write_in(rng, phone, text, whatsapp_id)
            if heard:
                self._diary.note(Received(whatsapp_id=whatsapp_id, phone=phone, text=text))

    def _write_in(self, rng: random.Random, phone: str, text: str, whatsapp_id: str) -> bool:
        """Through the gateway, or straight to the backend, and then often twice at once."""
        if self._stage.gateway == "simulator" and rng.random() < 0.5:
            body = {"phone": phone, "text": text, "whatsapp_id": whatsapp_id}
            with self._stage.connected:
                return self._insist("gateway", "/simulator/inbound", body)[0] is not None
        if self._stage.graph and rng.random() < 0.5:
            self._stage.graph.customer_writes(phone, text, wamid=whatsapp_id)
            return True
        body = {"phone": phone, "content": text, "whatsapp_id": whatsapp_id}
        twins = [
            threading.Thread(target=self._insist, args=("web", "/messages/inbox", body))
            for _ in range(rng.choice((0, 0, 1, 3)))
        ]
        for twin in twins:
            twin.start()
        heard = self._insist("web", "/messages/inbox", body)[0] is not None
        for twin in twins:
            twin.join()
        return heard

    def _insist(
        self, where: str, path: str, body: Mapping[str, object], *, key: str | None = None
    ) -> tuple[httpx.Response | None, int]:
        """Ask until there is a 2xx; returns it and how often it was asked for."""
        headers = {"Idempotency-Key": key} if key else {}
        tries = 0
        while not self._give_up.is_set():
            tries += 1
            began = time.monotonic()
            # Each try at another web process: none knows what the other was asked.
            name = random.choice(self._stage.names(where)) if where == "web" else where
            url = self._stage.stack.url(name, path)
            try:
                answer = self._client.post(url, json=body, headers=headers)
            except httpx.HTTPError as error:
                self._diary.count(f"{path} {type(error).__name__}", time.monotonic() - began)
                self._give_up.wait(random.uniform(0.1, 0.6))
                continue
            self._diary.count(f"{path} {answer.status_code}", time.monotonic() - began)
            if answer.is_success:
                return answer, tries
            if answer.is_client_error and answer.status_code not in TRY_AGAIN:
                self._diary.refused.append(f"{path} {answer.status_code} {answer.text[:200]}")
                return None, tries
            self._give_up.wait(random.uniform(0.1, 0.6))
        return None, tries

    def _paced(self, count: int) -> Iterator[int]:
        """Numbers, each when its time has come; late ones follow at once."""
        started = time.monotonic()
        for turn in range(count):
            due = started + self._seconds * turn / max(count, 1)
            self._give_up.wait(max(0.0, due - time.monotonic()))
            if self._give_up.is_set():
                return
            yield turn
