"""Use cases called as a door calls them: each in an app context, and a session, of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import httpx
from sqlalchemy import select, update

from crm import clock
from crm.extensions import Base, db
from crm.gateway_client import gateway
from crm.models import Counter, CounterName, Customer, Direction, Event, GatewayLink, Message
from crm.services import claims, customers, delivery, inbox, messages, recovery, settlement
from crm.services.claims import Claim
from crm.services.inbox import Inbound
from crm.services.messages import Draft
from tests.kit.app import Backend

T = TypeVar("T")
M = TypeVar("M", bound=Base)
Answer = httpx.Response | Exception
PHONE = "60123456789"


class ShopGateway:
    """Answers what it is told to: the next of `answers`, else `usual`."""

    def __init__(self) -> None:
        self.usual: Answer = httpx.Response(202, json={"status": "accepted"})
        self.answers: list[Answer] = []
        self.to: dict[int, Answer] = {}
        """What a message's send is answered, whatever the others are."""
        self.held: dict[int, threading.Event] = {}
        """Messages whose answer waits until the test lets it go."""
        self.about: dict[int, Answer] = {}
        """What `GET /messages/{id}` says; nothing (404) where it is not named."""
        self.requests: list[httpx.Request] = []
        self.sent: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._choose(request)
        if isinstance(answer, Exception):
            raise answer
        headers = {k: v for k, v in answer.headers.items() if k == "retry-after"}
        return httpx.Response(answer.status_code, headers=headers, content=answer.content)

    def _choose(self, request: httpx.Request) -> Answer:
        if request.method == "GET":
            asked = int(request.url.path.rpartition("/")[2])
            return self.about.get(asked, httpx.Response(404, json={"detail": "not here"}))
        is_send = request.url.path == "/send"
        if is_send:
            order = _json(request)
            self.sent.append(order)
            message_id = order["backend_message_id"]
            if message_id in self.held:
                assert self.held[message_id].wait(60)
            if message_id in self.to:
                return self.to[message_id]
        usual = self.usual if is_send else httpx.Response(200, json={})
        return self.answers.pop(0) if self.answers else usual


class Shop:
    """One backend with customers, their messages, and a gateway that obeys the test."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.gateway = ShopGateway()
        transport = httpx.MockTransport(self.gateway)
        gateway.init_app(base_url="http://gateway.test", token=None, transport=transport)

    def do(self, use_case: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Call a use case as one request or task does."""
        with self.backend.app.app_context():
            return use_case(*arguments, **named)

    def at_once(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """Call these from threads that begin together; their results, in order."""
        barrier = threading.Barrier(len(calls))

        def run(call: Callable[[], T]) -> T:
            barrier.wait(30)
            return self.do(call)

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(run, calls))

    def customer(self, phone: str = PHONE) -> int:
        made = self.do(customers.create_customer, name="MK Gan", phone=phone, status="new")
        return made.id

    def send(self, customer_id: int, text: str = "Hello", *, key: str | None = None) -> int:
        message, _ = self.do(
            messages.send_message,
            Draft(customer_id=customer_id, content=text),
            idempotency_key=key,
            request_id="r-1",
        )
        return message.id

    def send_new(self) -> int:
        """A queued message to the one customer of a test."""
        return self.send(self.customer())

    def receive(self, whatsapp_id: str | None = None, *, phone: str = PHONE) -> Message:
        inbound = Inbound(phone=phone, lid=None, content="Hello", whatsapp_id=whatsapp_id)
        return self.do(inbox.receive_message, inbound, request_id=None)[0]

    def deliver(self, message_id: int) -> str:
        """One try, due or not."""
        self.make_due(message_id)
        return self.do(deliver_one, message_id)

    def sweep(self) -> None:
        self.do(recovery.sweep)

    def row(self, message_id: int) -> Message:
        """A message as it is stored now."""
        return self.get(Message, message_id)

    def get(self, model: type[M], row_id: int) -> M:
        with self.backend.session() as session:
            found = session.get(model, row_id)
            assert found is not None
            session.expunge(found)
            return found

    def all(self, model: type[M]) -> Sequence[M]:
        with self.backend.session() as session:
            found = session.scalars(select(model)).all()
            session.expunge_all()
            return found

    def customer_row(self, customer_id: int) -> Customer:
        return self.get(Customer, customer_id)

    def link(self) -> GatewayLink:
        return self.get(GatewayLink, 1)

    def count(self, name: CounterName) -> int:
        with self.backend.session() as session:
            return session.scalar(select(Counter.value).where(Counter.name == name)) or 0

    def change(self, message_id: int, **columns: Any) -> None:
        """Set columns of a message, past every rule."""
        self.backend.change(Message, message_id, **columns)

    def insert(self, row: Base) -> None:
        """Add a row whose key the test chooses."""
        with self.backend.session() as session:
            session.add(row)

    def set_back(self, message_id: int, column: str, seconds: float) -> None:
        """Move one of its moments into the past: a stored time, not a patched clock."""
        self.change(message_id, **{column: clock.now() - timedelta(seconds=seconds)})

    def make_due(self, message_id: int) -> None:
        """Its next try, and the breaker's probe, may be now."""
        past = clock.now() - timedelta(seconds=1)
        with self.backend.app.app_context():
            session = db.session()
            waiting = Message.id == message_id, Message.dispatch == "queued"
            session.execute(update(Message).where(*waiting).values(due_at=past))
            is_open = GatewayLink.open_until.is_not(None)
            session.execute(update(GatewayLink).where(is_open).values(open_until=past))
            session.commit()

    def open_messages(self) -> Sequence[Message]:
        return [m for m in self.all(Message) if m.dispatch in {"queued", "sending"}]

    def outbound(self) -> Sequence[Message]:
        return [m for m in self.all(Message) if m.direction == Direction.OUTBOUND]

    def told(self, message_id: int) -> list[dict[str, Any]]:
        """Every state of a message that the event log tells, oldest first."""
        return [
            event["message"]
            for event in self.backend.events()
            if event["type"] == "message_status" and event["message"]["id"] == message_id
        ]

    def event_ids(self) -> list[int]:
        return sorted(event.id for event in self.all(Event))

    def jobs(self, name: str) -> list[int]:
        """The ids that jobs of this name were sent for."""
        return [job.args[0] for job in self.backend.jobs if job.name == name]

    def deliver_all(self, message_ids: Sequence[int]) -> dict[int, str]:
        """A job of these, due or not."""
        for message_id in message_ids:
            self.make_due(message_id)
        return self.do(deliver_all, message_ids)

    def delivery_jobs(self) -> list[int]:
        return self.jobs("messages.deliver")


def deliver_one(message_id: int) -> str:
    """What a job of one message does; the outcome."""
    return deliver_all([message_id])[message_id]


def deliver_all(message_ids: Sequence[int]) -> dict[int, str]:
    """What a job of several messages does; each one's outcome."""
    return {one.message_id: one.outcome for one in delivery.deliver_messages(message_ids)}


def claim_one(message_id: int) -> Claim | None:
    """The claim of one message, if it could be had."""
    return next(iter(claims.claim_messages([message_id])), None)


def accept_one(claim: Claim) -> str:
    """The gateway took it: the outcome."""
    return settlement.settle_accepted([claim])[claim.message_id]


def _json(request: httpx.Request) -> dict[str, Any]:
    return httpx.Response(200, content=request.content).json()  # type: ignore[no-any-return]
