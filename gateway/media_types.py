"""What a file truly is, by its first bytes: a sender's word for it is not believed."""

from gateway.drivers.events import MediaKind

HEAD = 16
"""Bytes needed to recognise a file."""
UNKNOWN = "application/octet-stream"
PREFIXES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
)
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
BOXES = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime"}
DOCUMENTS = frozenset(
    {
        "application/msword",
        "application/rtf",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/zip",
        "text/calendar",
        "text/csv",
        "text/plain",
        "text/vcard",
    }
)
"""Taken at the sender's word: they are only ever downloads, and no browser runs them."""


def recognise(head: bytes, *, kind: str, declared: str) -> str:
    """The MIME type; `application/octet-stream` for scripts, pages, drawings and the unknown."""
    if found := _sniff(head):
        return "audio/mp4" if found == "video/mp4" and kind == MediaKind.AUDIO else found
    plain = declared.partition(";")[0].strip().casefold()
    return plain if plain in DOCUMENTS else UNKNOWN


def kind_of(mime: str, *, declared: str) -> MediaKind:
    """What an inbox may show it as: only what was recognised is more than a document."""
    family = mime.partition("/")[0]
    if family == "image":
        return MediaKind.STICKER if declared == MediaKind.STICKER else MediaKind.IMAGE
    return MediaKind(family) if family in ("audio", "video") else MediaKind.DOCUMENT


def is_shown_inline(mime: str) -> bool:
    return mime.partition("/")[0] in ("image", "audio", "video")


def _sniff(head: bytes) -> str | None:
    for prefix, mime in PREFIXES:
        if head.startswith(prefix):
            return mime
    if head.startswith(b"RIFF"):
        return RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "video/3gpp" if head[8:11] == b"3gp" else BOXES.get(head[8:12], "video/mp4")
    return None
