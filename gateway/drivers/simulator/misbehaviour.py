"""How the pretend WhatsApp misbehaves: named settings, changed one by one while it runs."""

import random
from dataclasses import dataclass

from marshmallow import Schema, ValidationError, fields, validate

from gateway.drivers.base import DriverState
from gateway.fields import ChatField

Seconds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehaviour:
    """Percentages are of `POST /send` requests or of sends; the default behaves well."""

    connection: DriverState = DriverState.READY
    """Anything but ready: `/send` answers 503 and nothing arrives or leaves."""
    unavailable: int = 0
    """Percent of `/send` refused with 503 before they are accepted."""
    errors: int = 0
    """Percent of `/send` refused with 500 before they are accepted."""
    lost_answers: int = 0
    """Percent of `/send` accepted, whose connection is then closed without an answer."""
    broken_answers: int = 0
    """Percent of `/send` accepted, yet answered with 500."""
    stalls: int = 0
    """Percent of `/send` accepted and answered only after `stall_seconds`."""
    stall_seconds: float = 30.0
    send_delay: float = 0.0
    """Seconds that WhatsApp takes for each message."""
    failing_sends: int = 0
    """Percent of sends that fail for now and succeed later."""
    refused: tuple[str, ...] = ()
    """Phones to which nothing can ever be sent."""
    doubled_acks: bool = False
    late_acks: float = 0.0
    """Seconds added before every receipt."""
    reversed_acks: bool = False
    """Read before delivered, and both before the message is mapped."""
    reads: bool = True
    """False: what is sent is delivered but never read."""
    silent: bool = False
    """The connection says ready and is dead: nothing arrives or leaves, nothing answers."""
    silent_seconds: float = 5.0
    """How long a call into a dead connection takes to fail."""
    revives: bool = True
    """Whether a revival ends the silence; false: after a few of them a new code is needed."""
    media_failures: int = 0
    """Percent of downloads that fail for now."""
    delivered_after: Seconds = (0.5, 1.0)
    read_after: Seconds = (2.0, 8.0)


def strikes(percent: int) -> bool:
    return random.random() * 100 < percent


def _percent() -> fields.Integer:
    return fields.Integer(strict=True, validate=validate.Range(0, 100))


def _seconds() -> fields.Float:
    return fields.Float(validate=validate.Range(0, 3600))


def _span() -> fields.Tuple:
    return fields.Tuple((_seconds(), _seconds()), validate=_require_order)


def _require_order(span: Seconds) -> None:
    if span[0] > span[1]:
        raise ValidationError("must be the shortest and the longest time, in this order")


class MisbehaviourSchema(Schema):
    """Partial: only what is named changes; an unknown name is an error, not silence."""

    connection = fields.Enum(DriverState, by_value=True)
    unavailable = _percent()
    errors = _percent()
    lost_answers = _percent()
    broken_answers = _percent()
    stalls = _percent()
    stall_seconds = _seconds()
    send_delay = _seconds()
    failing_sends = _percent()
    refused = fields.List(ChatField())
    doubled_acks = fields.Boolean()
    late_acks = _seconds()
    reversed_acks = fields.Boolean()
    reads = fields.Boolean()
    silent = fields.Boolean()
    silent_seconds = _seconds()
    revives = fields.Boolean()
    media_failures = _percent()
    delivered_after = _span()
    read_after = _span()
