"""What a driver is told to send, and what it reports. Every `at` is Unix time."""

from dataclasses import dataclass
from enum import StrEnum

ACK_DELIVERED = 2
ACK_READ = 3
ACK_PLAYED = 4


class MediaKind(StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"
    STICKER = "sticker"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateUse:
    """A template by name and language (`en_US`), and what to put in its places, in order."""

    name: str
    language: str
    params: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A text, or a template, to send. The backend's message id is its idempotency key."""

    backend_message_id: int
    attempt: int
    chat: str
    text: str
    template: TemplateUse | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A file that came with a message. `reference` is what `Driver.fetch_media` needs to get it."""

    kind: MediaKind
    mime: str
    reference: str
    size: int | None = None
    file_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """A customer wrote."""

    chat: str
    text: str
    name: str | None
    whatsapp_id: str
    at: float
    lid: str | None = None
    """The digits of the customer's LID, where both it and the phone are known."""
    media: Media | None = None
    window_closes_at: float | None = None
    """Until when a free text may be sent to this customer; None: at any time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendId:
    """Which attempt at which message of the backend."""

    backend_message_id: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """WhatsApp proved something about a message of ours: ack 1 sent, 2 delivered, 3 read, 4 played.

    `send` where the driver knows whose receipt it is even without our having seen the map.
    """

    chat: str
    whatsapp_id: str
    ack: int
    at: float
    send: SendId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """WhatsApp took a message of ours and then gave up on it."""

    chat: str
    whatsapp_id: str
    code: str
    reason: str
    retryable: bool
    at: float
    send: SendId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A customer has a new picture: at a `url` of ours, or to be fetched by its `media`."""

    chat: str
    url: str | None = None
    media: Media | None = None


Event = Inbound | Receipt | Failure | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A message that WhatsApp has approved; `{{1}}` in `body` is its first place."""

    name: str
    language: str
    category: str
    body: str
    params: int
