"""What is measured, as requests that any program of the API document answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from benchmarks.dataset import LONG_CHATS, Dataset

PAGE = "list: first page of 50, just changed"
KEPT_PAGE = "list: first page of 50, unchanged"
LIST = "list: whole, just changed"
KEPT = "list: whole, unchanged"
NOT_MODIFIED = "list: whole, unchanged, If-None-Match"
HISTORY = "history: newest 200, just changed"
KEPT_HISTORY = "history: newest 200, unchanged"
SEND = "send a message"
TEXT = "Hello, how are you? 你好"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of request. `changed`: the list is another one each time."""

    name: str
    path: str
    requests: Sequence[bytes]
    changed: bool = False
    conditional: bool = False
    share: float = 1.0
    """Of the samples that are taken: the heavy ones get fewer."""


def get(path: str, *, etag: str | None = None) -> bytes:
    """A whole GET request."""
    condition = f"If-None-Match: {etag}\r\n" if etag else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n{condition}\r\n".encode()


def post(path: str, body: object) -> bytes:
    """A whole POST request with JSON."""
    data = orjson.dumps(body)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def of_the_large_database(dataset: Dataset) -> list[Operation]:
    """Pages, chats and sends."""
    long_chats = range(1, min(LONG_CHATS, dataset.customers - 1) + 1)
    page, chat, send = "/customers/summary?limit=50", "/messages/{}?limit=200", "/messages/send"
    sends = [
        post(send, {"customer_id": number, "content": TEXT})
        for number in range(1, min(dataset.customers, 10_000) + 1)
    ]
    chats = [get(chat.format(number)) for number in long_chats]
    return [
        Operation(name=PAGE, path=page, requests=[get(page)], changed=True),
        Operation(name=KEPT_PAGE, path=page, requests=[get(page)]),
        Operation(name=HISTORY, path=chat.format(1), requests=chats, changed=True),
        Operation(name=KEPT_HISTORY, path=chat.format(1), requests=chats),
        Operation(name=SEND, path=send, requests=sends),
    ]


def of_the_small_database(etag: str | None) -> list[Operation]:
    """Whole lists. `etag`: the list's, where the program has such a thing."""
    path = "/customers/summary"
    return [
        Operation(name=LIST, path=path, requests=[get(path)], changed=True, share=0.3),
        Operation(name=KEPT, path=path, requests=[get(path)]),
        Operation(
            name=NOT_MODIFIED,
            path=path,
            requests=[get(path, etag=etag or '"none"')],
            conditional=True,
        ),
    ]
