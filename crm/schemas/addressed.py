"""Whom the gateway speaks of: a phone, a LID, or both."""

from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from crm.phones import parse_lid
from crm.schemas.base import Lid, Phone, Schema


class Addressed(Schema):
    """A body about one customer. A `phone` that is a LID counts as one; no phone is ""."""

    phone = Phone(load_default="", allow_none=True, metadata={"example": "60123456789"})
    lid = Lid(load_default=None, allow_none=True)

    @ma.pre_load
    def read_lid_as_phone(self, data: Any, **kwargs: Any) -> Any:
        """Some gateways put `<digits>@lid` where the phone belongs."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        phone = data.get("phone")
        if isinstance(phone, str) and parse_lid(phone):
            data["lid"] = data.get("lid") or phone
            del data["phone"]
        if data.get("phone") == "":
            del data["phone"]
        return data

    @ma.validates_schema
    def names_someone(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        if not data.get("phone") and not data.get("lid"):
            raise ma.ValidationError("Missing data for required field.", "phone")

    @ma.post_load
    def leave_no_null_phone(self, data: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """A phone is text, empty where only the LID is known."""
        return data | {"phone": data["phone"] or ""}
