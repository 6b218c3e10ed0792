"""Makes neonize's event objects as its Go side does."""

import time
from typing import Any

from tests.gateway.web.far_side import LID, PHONE


class Writer:
    """Makes events as neonize's Go side does."""

    def __init__(self, protos: Any) -> None:
        self.protos = protos

    def jid(self, user: str, server: str = "s.whatsapp.net") -> Any:
        return self.protos.JID(
            User=user, Server=server, RawAgent=0, Device=0, Integrator=0, IsEmpty=not user
        )

    def source(self, chat: Any = None, *, alt: Any = None, **fields: Any) -> Any:
        chat = chat or self.jid(PHONE)
        given = {"IsFromMe": False, "IsGroup": False, "Sender": chat, **fields}
        alt = alt or self.jid("", "")
        return self.protos.MessageSource(Chat=chat, SenderAlt=alt, **given)

    def message(self, content: dict[str, Any], source: Any = None, **fields: Any) -> Any:
        info = self.protos.MessageInfo(
            MessageSource=source or self.source(),
            ID="3A0001",
            Pushname="Amara",
            Timestamp=1_758_636_343_000,
        )
        event = self.protos.Message(Info=info, IsEdit=False, **fields)
        event.Message.CopyFrom(type(event.Message)(**content))
        return event

    def file(self, **fields: Any) -> dict[str, Any]:
        """What a message says of its file."""
        return {
            "mimetype": "image/jpeg",
            "fileLength": 2048,
            "mediaKey": b"k" * 32,
            "fileSHA256": b"d" * 32,
            "fileEncSHA256": b"e" * 32,
            "directPath": "/v/t62",
            **fields,
        }

    def receipt(self, kind: str | None, *ids: str, source: Any = None) -> Any:
        given = {} if kind is None else {"Type": self.protos.Receipt.ReceiptType.Value(kind)}
        return self.protos.Receipt(
            MessageSource=source or self.source(),
            MessageIDs=ids or ("3EB0001",),
            Timestamp=1_758_636_400,
            **given,
        )

    def lid(self) -> Any:
        return self.jid(LID, "lid")

    def now(self) -> int:
        """This moment as the Go side tells it."""
        return round(time.time() * 1000)
