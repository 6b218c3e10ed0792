"""Files of customers: what is kept of them, and what is never asked of the library."""

import threading

import pytest

from gateway.drivers.base import PermanentError, TemporaryError
from gateway.drivers.events import MediaKind
from gateway.drivers.web.files import Downloads
from gateway.drivers.web.line import File
from gateway.drivers.web.references import write_reference
from tests.gateway.web.far_side import FarSide, PretendLine
from tests.kit.waiting import eventually


def receive(line, sink, content):
    """The file of a message as it was reported."""
    line.tell(content)
    (inbound,) = eventually(lambda: sink.inbounds)
    assert inbound.media is not None
    return inbound.media


def described(**fields) -> str:
    usual = {"kind": MediaKind.IMAGE, "path": "/v/t62", "key": b"k", "size": 5}
    return write_reference(File(**usual | {"digest": b"d", "encrypted_digest": b"e"} | fields))


def test_a_file_is_described_without_its_thumbnail_and_can_be_fetched_after_a_restart(
    line, sink, write, far_side, driver
):
    image = write.file(JPEGThumbnail=b"t" * 100_000)
    media = receive(line, sink, write.message({"imageMessage": image}))
    assert (media.kind, media.mime, media.size) == (MediaKind.IMAGE, "image/jpeg", 2048)
    assert len(media.reference) < 1000
    far_side.files["/v/t62"] = b"x" * 150_000
    assert b"".join(driver.fetch_media(media.reference)) == b"x" * 150_000
    (asked,) = far_side.asked
    assert (asked.key, asked.digest, asked.encrypted_digest) == (b"k" * 32, b"d" * 32, b"e" * 32)


def test_no_url_of_a_sender_is_kept(line, sink, write):
    """The library would fetch it, wherever it leads."""
    urls = dict.fromkeys(["URL", "staticURL", "qrURL"], "http://10.0.0.1/secret")
    media = receive(line, sink, write.message({"imageMessage": write.file(**urls)}))
    assert "10.0.0.1" not in media.reference
    assert "http" not in media.reference


@pytest.mark.parametrize(
    "fields",
    [
        {"path": ""},
        {"path": "@10.0.0.1/secret"},
        {"path": ".example/secret"},
        {"key": b""},
        {"encrypted_digest": b""},
        {"size": None},
    ],
)
def test_a_file_that_the_message_does_not_place_at_whatsapp_is_not_asked_for(
    line, driver, far_side, fields
):
    with pytest.raises(PermanentError) as refused:
        list(driver.fetch_media(described(**fields)))
    assert refused.value.code == "no_media"
    assert far_side.asked == []


def test_a_file_that_is_too_large_is_not_asked_for(line, driver, far_side, settings):
    far_side.files["/v/t62"] = b"hello"
    with pytest.raises(PermanentError) as refused:
        list(driver.fetch_media(described(size=settings.media.max_bytes + 1)))
    assert refused.value.code == "too_large"
    assert far_side.asked == []
    assert list(driver.fetch_media(described(size=settings.media.max_bytes))) == [b"hello"]


@pytest.mark.parametrize(("said", "size"), [(2**63 - 1, 2**63 - 1), (2**63, None), (None, None)])
def test_a_size_that_no_store_can_hold_is_no_size(line, sink, write, said, size):
    file = write.file(fileLength=said)
    assert receive(line, sink, write.message({"imageMessage": file})).size == size


def test_names_that_no_store_can_hold_are_made_storable(line, sink, write):
    file = write.file(mimetype="image/\x00" + "x" * 300, fileName="a\x00" + "b" * 5000)
    media = receive(line, sink, write.message({"documentMessage": file}))
    assert media.mime == "image/\ufffd" + "x" * 93
    assert media.file_name == "a\ufffd" + "b" * 998


def test_one_file_at_a_time_is_held_in_memory():
    far_side = FarSide()
    far_side.files["/v/t62"] = b"x" * 100_000
    line = PretendLine(far_side)
    downloads = Downloads(max_bytes=1000, patience=0.05)
    first = downloads.fetch(described(), line)
    next(first)
    with pytest.raises(TemporaryError, match="Another file"):
        next(downloads.fetch(described(), line))
    assert len(far_side.asked) == 1
    first.close()
    assert len(b"".join(downloads.fetch(described(), line))) == 100_000


def test_a_file_that_breaks_gives_its_turn_to_the_next():
    far_side = FarSide()
    line = PretendLine(far_side)
    downloads = Downloads(max_bytes=1000, patience=0.05)
    far_side.words = "failed to download media from last host: timeout"
    for _ in range(2):
        with pytest.raises(TemporaryError, match="could not be fetched"):
            list(downloads.fetch(described(), line))
    far_side.words, far_side.files["/v/t62"] = None, b"hello"
    got: list[bytes] = []
    # From another thread: the turn belongs to none.
    thread = threading.Thread(target=lambda: got.extend(downloads.fetch(described(), line)))
    thread.start()
    thread.join(5)
    assert got == [b"hello"]
