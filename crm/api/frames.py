"""Events as streams send them: made once for all streams of the process, many as one write."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

PIECE = 128 * 1024
"""Bytes after which a batch ends: whoever takes half of one has a copy of the rest to itself."""


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """An event as streams send it."""

    id: int
    frame: bytes

    @classmethod
    def of(cls, event_id: int, document: bytes) -> "LiveEvent":
        """JSON has no line breaks of its own, so one `data:` line holds it."""
        return cls(event_id, b"id: %d\ndata: %s\n\n" % (event_id, document))


def ephemeral_frame(document: bytes) -> bytes:
    """What has no id leaves the client's last one as it is."""
    return b"data: %s\n\n" % document


def chunk(frame: bytes) -> bytes:
    """A frame in HTTP's transfer encoding."""
    return b"%X\r\n%s\r\n" % (len(frame), frame) if frame else b""


@dataclass(frozen=True, slots=True)
class Encoded:
    """The bytes of a batch on one kind of connection."""

    events: bytes
    mentions: bytes
    """What may get lost, as it comes last; empty where there is nothing."""


@dataclass(frozen=True)
class Batch:
    """Events in order, and what is no event, which goes out after them."""

    events: Sequence[LiveEvent]
    mentions: bytes = b""

    @cached_property
    def plain(self) -> Encoded:
        """For HTTP/1.0, and where the server encodes."""
        return Encoded(b"".join(event.frame for event in self.events), self.mentions)

    @cached_property
    def chunked(self) -> Encoded:
        """For HTTP/1.1: one chunk for all events."""
        return Encoded(chunk(self.plain.events), chunk(self.plain.mentions))

    def after(self, event_id: int) -> "Batch":
        """Without the events up to this one."""
        if not self.events or self.events[0].id > event_id:
            return self
        return Batch([event for event in self.events if event.id > event_id], self.mentions)


def batches(events: Iterable[LiveEvent], mentions: bytes = b"") -> Iterator[Batch]:
    """As few as `PIECE` allows; the mentions go with the last."""
    gathered: list[LiveEvent] = []
    size = 0
    for event in events:
        if gathered and size + len(event.frame) > PIECE:
            yield Batch(gathered)
            gathered, size = [], 0
        gathered.append(event)
        size += len(event.frame)
    if gathered or mentions:
        yield Batch(gathered, mentions)
