"""Field types that several schemas share."""

from marshmallow import ValidationError, fields

from gateway.chats import parse_chat


class ChatField(fields.String):
    """A phone number or a LID, stripped to its digits."""

    def _deserialize(self, value: object, *args: object, **kwargs: object) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        try:
            return parse_chat(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
