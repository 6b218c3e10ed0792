"""The API document in the architecture that it draws: FastAPI, SQLAlchemy, Pydantic, uvicorn.

Written as their manuals teach it, and no slower than that: Pydantic makes the JSON straight from
the rows, uvicorn has uvloop and httptools, views and sessions are asynchronous. Tried both ways;
synchronous ones in FastAPI's threads took 3 to 25 % more processor time. It reads the very tables
that the product fills, with the last message kept on the customer's row, which such programs
seldom have. A sent message is stored, shown to the streams of its own process, and handed to a
background task.

    DATABASE_URL=… uvicorn --workers 2 benchmarks.peers.fastapi_app:app
"""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, ForeignKey, event, select
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from config.addresses import normalize_database_url


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str]
    status: Mapped[str]
    remark: Mapped[str | None]
    extra_fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    photo_url: Mapped[str | None]
    unread_count: Mapped[int]
    last_message: Mapped[str | None]
    last_timestamp: Mapped[datetime | None]
    active_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Message(Base):
    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    direction: Mapped[str]
    content: Mapped[str]
    timestamp: Mapped[datetime]
    ack: Mapped[int] = mapped_column(default=1)
    whatsapp_id: Mapped[str | None]
    # Columns of the product that must have a value.
    dispatch: Mapped[str | None] = mapped_column(default="queued", deferred=True)
    claims: Mapped[int] = mapped_column(default=0, deferred=True)
    lost_leases: Mapped[int] = mapped_column(default=0, deferred=True)
    failures: Mapped[int] = mapped_column(default=0, deferred=True)
    attempts: Mapped[int] = mapped_column(default=0, deferred=True)
    gateway_attempt: Mapped[int] = mapped_column(default=1, deferred=True)
    maybe_written: Mapped[bool] = mapped_column(default=False, deferred=True)


class CustomerSummary(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    phone: str
    photo_url: str | None
    status: str
    last_message: str | None
    last_timestamp: datetime | None
    unread_count: int


class CustomerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    phone: str
    status: str
    remark: str | None
    extra_fields: dict[str, Any]
    photo_url: str | None
    unread_count: int
    created_at: datetime
    updated_at: datetime


class MessageOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    customer_id: int
    direction: Literal["inbound", "outbound"]
    content: str
    timestamp: datetime
    ack: int
    whatsapp_id: str | None


class SendRequest(BaseModel):
    customer_id: int
    content: str = Field(min_length=1, max_length=4096)


def make_engine() -> AsyncEngine:
    """As durable as the product: WAL with synchronous=FULL, or PostgreSQL's defaults."""
    url = normalize_database_url(os.environ["DATABASE_URL"])
    if not url.startswith("sqlite"):
        url = f"postgresql+asyncpg://{url.partition('://')[2]}"
        return create_async_engine(url, pool_size=20, max_overflow=20)
    url = f"sqlite+aiosqlite://{url.partition('://')[2]}"
    engine = create_async_engine(url, pool_size=20, max_overflow=20, connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


make_session = async_sessionmaker(make_engine(), expire_on_commit=False)


async def get_session() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with make_session() as session:
        yield session


Database = Annotated[AsyncSession, Depends(get_session)]
Limit = Annotated[int | None, Query(ge=1, le=500)]


class Streams:
    """The open event streams of this process."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()

    def publish(self, data: str) -> None:
        """Tell every stream."""
        for queue in self._queues:
            queue.put_nowait(data)

    async def read(self) -> AsyncIterator[str]:
        """What happens from now on, as server-sent events."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        try:
            yield ": open\n\n"
            while True:
                yield f"data: {await queue.get()}\n\n"
        finally:
            self._queues.discard(queue)


streams = Streams()


class OutboundMessage(BaseModel):
    type: Literal["outbound_message"] = "outbound_message"
    customer_id: int
    message: MessageOut


app = FastAPI(title="WhatsApp CRM")


@app.get("/customers/summary", response_model=list[CustomerSummary])
async def list_summaries(session: Database, limit: Limit = None, offset: int = 0) -> Any:
    """Customers with their last message, newest activity first."""
    statement = select(Customer).order_by(Customer.active_at.desc(), Customer.id.desc())
    return (await session.scalars(statement.limit(limit).offset(offset or None))).all()


@app.get("/customers/", response_model=list[CustomerOut])
async def list_customers(session: Database, limit: Limit = None, offset: int = 0) -> Any:
    """Customers with all their fields."""
    statement = select(Customer).order_by(Customer.id)
    return (await session.scalars(statement.limit(limit).offset(offset or None))).all()


@app.get("/messages/events/stream")
async def stream_events() -> StreamingResponse:
    """Everything that happens in this process, as it happens."""
    headers = {"Cache-Control": "no-cache"}
    return StreamingResponse(streams.read(), media_type="text/event-stream", headers=headers)


@app.get("/messages/{customer_id}", response_model=list[MessageOut])
async def list_chat(customer_id: int, session: Database, limit: Limit = None) -> Any:
    """A customer's messages, oldest first; `limit` gives the newest."""
    if await session.get(Customer, customer_id) is None:
        raise HTTPException(404, "Customer not found")
    statement = select(Message).where(Message.customer_id == customer_id)
    newest = (await session.scalars(statement.order_by(Message.id.desc()).limit(limit))).all()
    return newest[::-1]


@app.post("/messages/send", response_model=MessageOut, status_code=201)
async def send_message(body: SendRequest, session: Database, tasks: BackgroundTasks) -> Any:
    """Store a message, show it to the streams, and have it sent."""
    customer = await session.get(Customer, body.customer_id)
    if customer is None:
        raise HTTPException(404, "Customer not found")
    moment = datetime.now(UTC).replace(tzinfo=None)
    message = Message(
        customer_id=customer.id,
        direction="outbound",
        content=body.content,
        timestamp=moment,
    )
    session.add(message)
    customer.last_message, customer.last_timestamp = body.content, moment
    customer.active_at = customer.updated_at = moment
    await session.commit()
    told = OutboundMessage(customer_id=customer.id, message=MessageOut.model_validate(message))
    streams.publish(told.model_dump_json())
    tasks.add_task(hand_over, message.id, customer.phone, body.content)
    return message


async def hand_over(message_id: int, phone: str, content: str) -> None:
    """Where the gateway is called; not measured, as the product's worker is not."""
