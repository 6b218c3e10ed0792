"""Who acts: shown as the author of a message, and kept in the audit."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class ActorKind(StrEnum):
    AGENT = "agent"  # a person who signed in
    TOKEN = "token"  # a script
    SYSTEM = "system"  # the product itself, its operator, or anyone where nobody signs in


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who does something, and from which address."""

    kind: ActorKind
    id: int | None = None
    name: str | None = None
    address: str | None = None

    def as_author(self) -> dict[str, Any]:
        """What a message shows of its author."""
        return {"kind": str(self.kind), "id": self.id, "name": self.name}


SYSTEM = Actor(kind=ActorKind.SYSTEM)
COMMAND_LINE = Actor(kind=ActorKind.SYSTEM, name="command line")
