"""neonize itself: a `Line` over its client.

Importing this starts Go's runtime in the process, which would not survive gunicorn's fork and which
other drivers do without. So nothing imports it by name: `driver.py` loads it when it connects.

What neonize 0.5.2 does not say of itself: any call for a client that Go does not know (yet, or any
more) ends the process; so does stopping one that still waits for its code to be scanned or is being
dialled, and subscribing to an event without fields, such as `StreamReplaced`. Hence `_is_live`,
`_stop_once` and the reading of the log.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

import neonize.client
import structlog
from google.protobuf.message import DecodeError
from neonize import events
from neonize.exc import NeonizeError
from neonize.proto.Neonize_pb2 import JID
from neonize.proto.waCompanionReg.WAWebProtobufsCompanionReg_pb2 import DeviceProps
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message
from neonize.utils.enum import ReceiptType

from gateway.drivers.events import MediaKind
from gateway.drivers.web.line import Address, File, LineError, Proto
from gateway.drivers.web.reports import REPORTS

log = structlog.get_logger(__name__)

HEARD = (
    events.MessageEv,
    events.ReceiptEv,
    events.PictureEv,
    events.UndecryptableMessageEv,
    events.ConnectedEv,
    events.DisconnectedEv,
    events.LoggedOutEv,
    events.TemporaryBanEv,
    events.ConnectFailureEv,
    events.PairStatusEv,
)
SAID_IN_THE_LOG = {
    "Got replaced stream error": events.StreamReplacedEv,
    "Client outdated (405)": events.ClientOutdatedEv,
}
PARTS = {
    MediaKind.IMAGE: "imageMessage",
    MediaKind.VIDEO: "videoMessage",
    MediaKind.AUDIO: "audioMessage",
    MediaKind.DOCUMENT: "documentMessage",
    MediaKind.STICKER: "stickerMessage",
}
SETTLE = 0.05
"""Seconds in which calls that have begun find their client, before it is taken away."""
LONG_NUMBER = re.compile(r"\d{5,}")


class DaemonThread(threading.Thread):
    """neonize's own would hold the process back until the last code has expired."""

    def __init__(self, **arguments: object) -> None:
        super().__init__(**(arguments | {"daemon": True}))  # type: ignore[arg-type]


class GoLog(logging.Handler):
    """What whatsmeow logs: without numbers in our log, and with what only the log tells."""

    listener: Callable[[str], None] | None = None

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if self.listener is not None:
            self.listener(said)
        if record.levelno >= _least_level(record.name):
            log.warning("whatsmeow_said", said=LONG_NUMBER.sub("…", said))


def _least_level(logger: str) -> int:
    """neonize warns of a lack of ffmpeg, which nothing here uses."""
    return logging.ERROR if logger.startswith("neonize") else logging.WARNING


GO_LOG = GoLog()


def _prepare_library() -> None:
    neonize.client.Thread = DaemonThread
    for name in ("whatsmeow", "Whatsmeow", "neonize"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [GO_LOG]
    # The level that Go is told to log at.
    neonize.client.log.setLevel(logging.INFO)


_prepare_library()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (NeonizeError, DecodeError) as error:
        raise LineError(LONG_NUMBER.sub("…", str(error))) from None


class NeonizeLine:
    def __init__(self, database: str) -> None:
        props = DeviceProps(os="WhatsApp CRM", platformType=DeviceProps.CHROME)
        self._client = neonize.client.NewClient(database, uuid=uuid4().hex, props=props)
        # It would stop the client at any moment, also when that ends the process.
        self._client._stop_finalizer.detach()
        self._hung_up = False
        self._showed_code = False
        self._stopped = False
        self._lock = threading.Lock()

    def run(self, *, on_event: Callable[[Proto], None], on_code: Callable[[str], None]) -> None:
        def show(_client: object, code: bytes) -> None:
            self._showed_code = True
            on_code(code.decode())

        def hear(_client: object, event: Proto) -> None:
            self._hear(event, on_event)

        def read_log(said: str) -> None:
            for words, kind in SAID_IN_THE_LOG.items():
                if words in said and not self._hung_up:
                    on_event(kind())

        self._client.qr(show)
        for kind in HEARD:
            self._client.event(kind)(hear)
        GO_LOG.listener = read_log
        try:
            with _translated():
                self._client.connect()
        finally:
            self._hung_up = True
            self._stop_once()

    def _hear(self, event: Proto, on_event: Callable[[Proto], None]) -> None:
        if self._hung_up:
            # Not from this thread, which Go waits for.
            threading.Thread(target=self._stop_once, daemon=True).start()
            if event.DESCRIPTOR.name not in REPORTS:
                return
        # Also after the end: WhatsApp was told that it has arrived and will not tell it again.
        on_event(event)

    def hang_up(self) -> None:
        self._hung_up = True
        if self._client.me is not None:
            time.sleep(SETTLE)
            self._stop_once()
        elif self._showed_code:
            self._client.disconnect()

    def _stop_once(self) -> None:
        with self._lock:
            stopped, self._stopped = self._stopped, True
        if not stopped:
            self._client.stop()

    def _is_live(self) -> bool:
        """Go knows the client: its event loop, which begins by telling who we are, runs."""
        return self._client.me is not None and not self._hung_up

    def ask(self) -> None:
        with self._call():
            self._client.get_blocklist()

    def send(self, to: Address, text: str) -> str:
        # As a message: a plain string would have its numbers turned into mentions.
        with self._call():
            sent = self._client.send_message(_jid(to), Message(conversation=text))
        return str(sent.ID)

    def mark_read(self, chat: Address, whatsapp_ids: Sequence[str]) -> None:
        # Nobody: only in groups is a sender named.
        nobody = JID(User="", Server="", RawAgent=0, Device=0, Integrator=0, IsEmpty=True)
        with self._call():
            self._client.mark_read(
                *whatsapp_ids, chat=_jid(chat), sender=nobody, receipt=ReceiptType.READ
            )

    def own_addresses(self) -> list[Address]:
        me = self._client.me
        return [] if me is None else [_address(jid) for jid in (me.JID, me.LID) if jid.User]

    def find_user(self, phone: str) -> Address | None:
        with self._call():
            found = self._client.is_on_whatsapp(f"+{phone}")
        return next((_address(answer.JID) for answer in found if answer.IsIn), None)

    def find_phone(self, lid: str) -> str | None:
        with self._call():
            jid = self._client.get_pn_from_lid(_jid(Address(user=lid, server="lid")))
        return jid.User or None

    def find_lid(self, phone: str) -> str | None:
        with self._call():
            jid = self._client.get_lid_from_pn(_jid(Address(user=phone, server="s.whatsapp.net")))
        return jid.User or None

    def download(self, file: File) -> bytes:
        with self._call():
            content = self._client.download_any(_describe(file))
        return content or b""

    def find_picture(self, whose: Address) -> str:
        with self._call():
            return str(self._client.get_profile_picture(_jid(whose)).URL)

    @contextmanager
    def _call(self) -> Iterator[None]:
        if not self._is_live():
            raise LineError("websocket not connected")
        with _translated():
            yield


def _describe(file: File) -> Message:
    message = Message()
    part = getattr(message, PARTS[file.kind])
    part.directPath = file.path
    part.mediaKey = file.key
    part.fileSHA256 = file.digest
    part.fileEncSHA256 = file.encrypted_digest
    part.fileLength = file.size or 0
    return message


def _jid(address: Address) -> JID:
    return JID(
        User=address.user,
        Server=address.server,
        RawAgent=0,
        Device=0,
        Integrator=0,
        IsEmpty=False,
    )


def _address(jid: JID) -> Address:
    return Address(user=jid.User, server=jid.Server)
