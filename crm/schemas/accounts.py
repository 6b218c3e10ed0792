"""Signing in, tokens and the audit."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from crm.actors import ActorKind
from crm.credentials import MAX_PASSWORD, MIN_PASSWORD
from crm.models import Action, Role, Scope
from crm.schemas.base import TIME, Answer, Id, PageQuery, Schema, StrictBoolean, Text, not_blank

ROLES, SCOPES = [str(role) for role in Role], [str(scope) for scope in Scope]
SHORT = validate.And(validate.Length(1, 120), not_blank)
MAX_LOGIN = 254


def is_login(value: str) -> None:
    """A validator: short enough in the form that is stored, which folding may lengthen."""
    not_blank(value)
    if max(len(value), len(value.casefold())) > MAX_LOGIN:
        raise ma.ValidationError(f"Longer than maximum length {MAX_LOGIN}.")


LOGIN = validate.And(validate.Length(1, MAX_LOGIN), is_login)
NEW_PASSWORD = validate.Length(MIN_PASSWORD, MAX_PASSWORD)
ANY_PASSWORD = validate.Length(1, MAX_PASSWORD)
AUDIT_PAGE = 100


class LoginSchema(Schema):
    """Who wants in."""

    login = Text(required=True, validate=LOGIN, metadata={"example": "mia@shop.example"})
    password = Text(required=True, validate=ANY_PASSWORD)


class MeSchema(Answer):
    """Who is signed in here."""

    id = Id()
    name = fields.String(metadata={"example": "Mia"})
    role = fields.String(validate=validate.OneOf(ROLES))
    csrf_token = fields.String(
        metadata={"description": "For X-CSRF-Token, with every POST, PUT, PATCH and DELETE."}
    )


class AuthStateSchema(Answer):
    """What a page has to know before it asks for anything."""

    required = fields.Boolean(metadata={"description": "False: nobody has to sign in."})
    me = fields.Nested(MeSchema, allow_none=True)


class PasswordSchema(Schema):
    """An agent's own new password."""

    old_password = Text(required=True, validate=ANY_PASSWORD)
    new_password = Text(required=True, validate=NEW_PASSWORD)


class SetupSchema(Schema):
    """The first owner. `token` is from the link that the first start prints."""

    token = Text(required=True, validate=validate.Length(1, 200))
    name = Text(required=True, validate=SHORT, metadata={"example": "Mia"})
    login = Text(required=True, validate=LOGIN, metadata={"example": "mia@shop.example"})
    password = Text(required=True, validate=NEW_PASSWORD)


class AgentSchema(Answer):
    """An account. `disabled_at`: since when its agent may not sign in; null: may."""

    id = Id()
    login = fields.String(metadata={"example": "mia@shop.example"})
    name = fields.String(metadata={"example": "Mia"})
    role = fields.String(validate=validate.OneOf(ROLES))
    disabled_at = fields.String(allow_none=True, metadata=TIME)
    created_at = fields.String(metadata=TIME)


class NewAgentSchema(AgentSchema):
    """The one answer that holds a password."""

    password = fields.String(
        metadata={"description": "Shown this once; to be changed by POST /auth/password."}
    )


class CreateAgentSchema(Schema):
    """A new account; its password is made here."""

    login = Text(required=True, validate=LOGIN, metadata={"example": "noa@shop.example"})
    name = Text(required=True, validate=SHORT, metadata={"example": "Noa"})
    role = Text(load_default=str(Role.AGENT), validate=validate.OneOf(ROLES))


class UpdateAgentSchema(Schema):
    """What an owner may change of an account; what is left out stays."""

    name = Text(validate=SHORT)
    role = Text(validate=validate.OneOf(ROLES))
    disabled = StrictBoolean(
        metadata={"description": "true: every session of the agent ends, and no new one begins."}
    )


class TokenSchema(Answer):
    """A token, without what would let anyone use it."""

    id = Id()
    name = fields.String(metadata={"example": "Nightly report"})
    prefix = fields.String(metadata={"example": "crm_3kfQ9Z"})
    scope = fields.String(validate=validate.OneOf(SCOPES))
    created_by = fields.String(allow_none=True)
    created_at = fields.String(metadata=TIME)
    last_used_at = fields.String(
        allow_none=True, metadata=TIME | {"description": "To within some minutes."}
    )
    revoked_at = fields.String(allow_none=True, metadata=TIME)


class NewTokenSchema(TokenSchema):
    """The one answer that holds the token itself."""

    token = fields.String(metadata={"description": "Shown this once."})


class CreateTokenSchema(Schema):
    """A token for a script."""

    name = Text(required=True, validate=SHORT, metadata={"example": "Nightly report"})
    scope = Text(required=True, validate=validate.OneOf(SCOPES))


class ActorSchema(Answer):
    """Who did something, as they were called then."""

    kind = fields.String(validate=validate.OneOf([str(kind) for kind in ActorKind]))
    id = fields.Integer(allow_none=True)
    name = fields.String(allow_none=True)


class AuditEntrySchema(Answer):
    """Who did what to whom, when and from where."""

    id = Id()
    at = fields.String(metadata=TIME)
    action = fields.String(validate=validate.OneOf([str(action) for action in Action]))
    actor = fields.Nested(ActorSchema)
    subject = fields.String(allow_none=True, metadata={"example": "customer 7"})
    address = fields.String(allow_none=True, metadata={"example": "203.0.113.9"})


class AuditQuery(PageQuery):
    """Which part of the audit: never the whole of it."""

    @ma.pre_load
    def choose_limit(self, data: Any, **kwargs: Any) -> Any:
        """The newest entries where no number is given."""
        return data if "limit" in data else {**data, "limit": str(AUDIT_PAGE)}
