"""Who looks at a chat, in and out."""

import marshmallow as ma
from marshmallow import fields, validate

from crm.presence import PresenceState
from crm.schemas.accounts import ActorSchema
from crm.schemas.base import TIME, Answer, Id, Schema, Text

SHOWN = [str(PresenceState.VIEWING), str(PresenceState.TYPING)]


def _printable(value: str) -> None:
    if not value.isprintable():
        raise ma.ValidationError("Must be printable.")


class PresenceSchema(Schema):
    """What a browser says of itself."""

    client_id = Text(
        required=True,
        validate=validate.And(validate.Length(1, 64), _printable),
        metadata={
            "description": "Of the browser, drawn by chance: agents may have several.",
            "example": "b0f4c1d2",
        },
    )
    state = Text(
        required=True,
        validate=validate.OneOf([str(state) for state in PresenceState]),
        metadata={"description": "`away` takes it back at once.", "example": "viewing"},
    )


class PresentSchema(Answer):
    """One browser that shows the chat."""

    client_id = fields.String()
    agent = fields.Nested(ActorSchema)
    state = fields.String(validate=validate.OneOf(SHOWN))
    typing_until = fields.String(
        allow_none=True,
        metadata=TIME | {"description": "From then on it is `viewing`, unless told otherwise."},
    )
    expires_at = fields.String(metadata=TIME | {"description": "From then on it is gone."})


class PresencesSchema(Answer):
    """Who shows a chat."""

    customer_id = Id()
    at = fields.String(
        metadata=TIME | {"description": "The server's clock, for browsers whose own is wrong."}
    )
    present = fields.List(fields.Nested(PresentSchema))
