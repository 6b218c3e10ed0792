"""Files that the pretend customers send: drawn here, or given by whoever writes as one."""

import hashlib
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator

from gateway.clock import now
from gateway.drivers.base import PermanentError
from gateway.drivers.events import Media, MediaKind

DRAWN, GIVEN = "drawn:", "given:"
SIDE = 160
PIECE = 16_384
MAX_GIVEN = 50


class Files:
    """Drawn ones can always be drawn again; of those given, the newest are remembered."""

    def __init__(self) -> None:
        self._given: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def draw(self, seed: str) -> Media:
        """A small picture whose colours follow from the seed."""
        size = len(draw_png(seed))
        return Media(kind=MediaKind.IMAGE, mime="image/png", reference=f"{DRAWN}{seed}", size=size)

    def give(self, data: bytes, *, kind: MediaKind, mime: str, name: str | None) -> Media:
        """Any file at all: the gateway has to cope with it."""
        reference = f"{GIVEN}{hashlib.sha256(data).hexdigest()[:24]}-{now():.6f}"
        with self._lock:
            self._given[reference] = data
            if len(self._given) > MAX_GIVEN:
                self._given.popitem(last=False)
        return Media(kind=kind, mime=mime, reference=reference, size=len(data), file_name=name)

    def read(self, reference: str) -> Iterator[bytes]:
        """Raises PermanentError for a file that is not remembered."""
        if reference.startswith(DRAWN):
            data = draw_png(reference.removeprefix(DRAWN))
        else:
            with self._lock:
                found = self._given.get(reference)
            if found is None:
                raise PermanentError("no_media", "The pretend WhatsApp has no such file.")
            data = found
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]


def draw_png(seed: str) -> bytes:
    """A PNG of two colours, a disc on a ground."""
    digest = hashlib.sha256(seed.encode()).digest()
    x, y, radius = 40 + digest[6] % 80, 40 + digest[7] % 80, 25 + digest[8] % 40
    ground, disc = digest[0:3], digest[3:6]
    rows = b"".join(
        b"\x00"
        + b"".join(
            disc if (column - x) ** 2 + (row - y) ** 2 < radius**2 else ground
            for column in range(SIDE)
        )
        for row in range(SIDE)
    )
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_make_chunk(name, data) for name, data in chunks)


def _make_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
