"""Every error that the product raises on purpose, with the HTTP status it becomes.

    CrmError                        500
    ├── InvalidInputError           422  the data is well-formed but not acceptable
    ├── NotSignedInError            401  who is calling is not known
    │   └── WrongPasswordError
    ├── ForbiddenError              403  who is calling may not do this
    │   └── SetupLinkError
    ├── NotFoundError               404
    │   ├── AgentNotFoundError
    │   ├── CustomerNotFoundError
    │   ├── MessageNotFoundError
    │   ├── MediaNotFoundError
    │   └── TokenNotFoundError
    ├── ConflictError               409
    │   ├── LoginTakenError
    │   ├── LastOwnerError
    │   ├── PhoneTakenError
    │   ├── IdempotencyKeyReusedError
    │   ├── NewerMessagesError
    │   ├── MappingConflictError
    │   ├── MessageStateError
    │   ├── WindowClosedError
    │   └── MediaNotReadyError
    ├── MediaLostError              410
    └── UnavailableError            503  try again after `retry_after` seconds
        ├── DatabaseBusyError
        ├── DatabaseUnavailableError
        │   └── CommitUncertainError  the one case in which it may have been kept
        └── TooManyStreamsError

The text of each is one readable sentence for the caller: never SQL, never a customer's text. A few
carry more, which stands beside it in the one error body.
"""

from typing import Any


class CrmError(Exception):
    """Base of the family; its text is shown to the caller, and `more` beside it."""

    status = 500

    def __init__(self, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.more = more


class InvalidInputError(CrmError):
    """Well-formed input that breaks a rule; `errors` maps a field to its messages."""

    status = 422

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail, **({"errors": {field: [detail]}} if field else {}))


class NotSignedInError(CrmError):
    """The caller did not prove who it is."""

    status = 401


class WrongPasswordError(NotSignedInError):
    """Login and password are not those of an agent who may sign in."""

    def __init__(self, detail: str = "Login or password is wrong.") -> None:
        super().__init__(detail)


class ForbiddenError(CrmError):
    """The caller is known, or need not be, but may not do this."""

    status = 403


class SetupLinkError(ForbiddenError):
    """A link for the first owner that is used, expired or made up."""

    def __init__(self) -> None:
        super().__init__(
            "This link is used or more than a day old; a restart prints a new one for as long as "
            "nobody has an account."
        )


class NotFoundError(CrmError):
    """The thing asked for does not exist."""

    status = 404


class AgentNotFoundError(NotFoundError):
    """No such agent."""

    def __init__(self) -> None:
        super().__init__("There is no such agent.")


class CustomerNotFoundError(NotFoundError):
    """No such customer."""

    def __init__(self) -> None:
        super().__init__("There is no such customer.")


class MessageNotFoundError(NotFoundError):
    """No such message."""

    def __init__(self) -> None:
        super().__init__("There is no such message.")


class MediaNotFoundError(NotFoundError):
    """No such file."""

    def __init__(self) -> None:
        super().__init__("There is no such file.")


class TokenNotFoundError(NotFoundError):
    """No such token."""

    def __init__(self) -> None:
        super().__init__("There is no such token.")


class MediaLostError(CrmError):
    """A file that there was and never will be again."""

    status = 410

    def __init__(self) -> None:
        super().__init__("The file could not be fetched from WhatsApp, or was kept long enough.")


class ConflictError(CrmError):
    """The request contradicts what is stored."""

    status = 409


class LoginTakenError(ConflictError):
    """An agent with this login exists."""

    def __init__(self) -> None:
        super().__init__("Another agent has this login.")


class LastOwnerError(ConflictError):
    """An owner without whom nobody could manage accounts."""

    def __init__(self) -> None:
        super().__init__("This is the last owner; make somebody else an owner first.")


class PhoneTakenError(ConflictError):
    """A customer with this phone exists."""

    def __init__(self, customer_id: int) -> None:
        detail = f"Customer {customer_id} already has this phone."
        super().__init__(detail, customer_id=customer_id)


class IdempotencyKeyReusedError(ConflictError):
    """An idempotency key came again with another body."""

    def __init__(self) -> None:
        super().__init__("This idempotency key was already used for another message.")


class NewerMessagesError(ConflictError):
    """The chat has messages that the writer had not seen: `newer`, `newer_count` in all."""

    def __init__(self, newer: list[dict[str, Any]], *, count: int) -> None:
        super().__init__(
            "The chat has newer messages than the last one seen; nothing was sent.",
            newer=newer,
            newer_count=count,
        )


class MappingConflictError(ConflictError):
    """A WhatsApp id and a message that are already paired otherwise."""


class MessageStateError(ConflictError):
    """The message's state does not allow what was asked."""


class WindowClosedError(ConflictError):
    """WhatsApp takes no free text to this customer now."""

    def __init__(self) -> None:
        super().__init__(
            "The customer's last message is more than 24 hours old: WhatsApp takes only a template "
            "now, or a text once the customer has written again."
        )


class MediaNotReadyError(ConflictError):
    """A file that the gateway is still fetching."""

    def __init__(self) -> None:
        super().__init__("The file is still being fetched from WhatsApp; try again in a moment.")


class UnavailableError(CrmError):
    """Not now; the caller may try again after `retry_after` seconds."""

    status = 503

    def __init__(self, detail: str, *, retry_after: int = 1) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class DatabaseBusyError(UnavailableError):
    """The database's write lock could not be had in time."""

    def __init__(self) -> None:
        super().__init__("The database is busy, nothing was changed; try again.")


class DatabaseUnavailableError(UnavailableError):
    """The database does not answer, or its disk is full."""

    def __init__(self) -> None:
        super().__init__("The database cannot be used now, nothing was changed; try again.")


class CommitUncertainError(DatabaseUnavailableError):
    """The connection broke while the change was being committed."""

    def __init__(self) -> None:
        UnavailableError.__init__(
            self,
            "The database broke off and may have kept the change or not; look before you repeat it,"
            " or repeat it with the same Idempotency-Key.",
        )


class TooManyStreamsError(UnavailableError):
    """This process has as many open event streams as it, or their holder, may hold."""

    def __init__(self, detail: str = "Too many event streams are open; try again.") -> None:
        super().__init__(detail, retry_after=5)
