"""The driver `cloud`: Meta's Cloud API."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import structlog
from flask import Flask
from pywa.api import GraphAPI
from werkzeug.exceptions import ServiceUnavailable

from config.settings import Settings
from gateway.chats import LID_SUFFIX
from gateway.drivers.base import (
    DriverState,
    EventSink,
    PermanentError,
    TemporaryError,
    UnknownOutcomeError,
)
from gateway.drivers.cloud.faults import CONNECT_DELAY, AccountError, AgainError
from gateway.drivers.cloud.graph import Graph
from gateway.drivers.cloud.media import MediaFiles
from gateway.drivers.cloud.patience import Patience
from gateway.drivers.cloud.reading import make_tracker, read_update
from gateway.drivers.cloud.templates import Templates, write_template
from gateway.drivers.cloud.watch import Watch
from gateway.drivers.cloud.webhook import make_blueprint
from gateway.drivers.events import Event, Outgoing, SendId, Template

log = structlog.get_logger(__name__)

STOP_TIMEOUT = 1.0


class Cloud:
    """Holds no session: the token is the session, and the webhook comes to us."""

    name = "cloud"
    # The Graph API has no idempotency key: what may have gone out is never sent again blindly.
    idempotent = False
    # Meta counts for itself and says when to wait; a pace of ours would only be slower.
    is_paced = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._graph = Graph(settings)
        self._patience = Patience()
        self._watch = Watch(self.probe)
        self._templates = Templates(settings, self._graph)
        self._media = MediaFiles(settings, self._graph, on_refused=self._watch.refused)
        self._sink: EventSink | None = None

    def connect(self, sink: EventSink) -> None:
        self._graph.open()
        self._sink = sink
        self._watch.start(sink.state_changed)

    def disconnect(self) -> None:
        self._watch.stop()
        self._graph.close(STOP_TIMEOUT)

    def send(self, outgoing: Outgoing) -> str:
        if outgoing.chat.endswith(LID_SUFFIX):
            raise PermanentError("no_phone", "The Cloud API sends to phone numbers only.")
        if self.state() is not DriverState.READY:
            raise TemporaryError("not connected", delay=CONNECT_DELAY)
        self._patience.require_open()
        try:
            answer = self._graph.call(partial(self._post, outgoing))
        except AgainError as error:
            raise self._patience.judge(outgoing, error) from error
        except AccountError as error:
            self._watch.refused(error)
            raise
        self._patience.succeeded(outgoing)
        return _read_id(answer)

    def _post(self, outgoing: Outgoing, api: GraphAPI) -> Any:
        if outgoing.template is not None:
            kind, content = "template", write_template(outgoing.template)
        else:
            kind, content = "text", {"body": outgoing.text, "preview_url": False}
        ids = SendId(backend_message_id=outgoing.backend_message_id, attempt=outgoing.attempt)
        return api.send_message(
            sender=self._settings.cloud.phone_id,
            to=outgoing.chat,
            recipient=None,
            recipient_type="individual",
            typ=kind,
            msg=content,
            biz_opaque_callback_data=make_tracker(ids),
        )

    def mark_read(self, _chat: str, whatsapp_ids: Sequence[str]) -> None:
        """One call a message: Meta also shows the earlier ones of the chat as read."""
        phone_id = self._settings.cloud.phone_id
        for whatsapp_id in whatsapp_ids:
            try:
                self._graph.ask(partial(_mark_read, phone_id=phone_id, message_id=whatsapp_id))
            except AccountError as error:
                self._watch.refused(error)
                raise
            except PermanentError as error:  # Too old, perhaps: the others are still told.
                log.info("read_receipt_refused", code=error.code)

    def state(self) -> DriverState:
        return self._watch.state

    def advice(self) -> str | None:
        return self._watch.advice

    def qr(self) -> str | None:
        return None

    def probe(self) -> None:
        phone_id = self._settings.cloud.phone_id
        node = self._graph.ask(lambda api: api.get_business_phone_number(phone_id, ("id",)))
        if node.get("id") != phone_id:
            raise TemporaryError("an answer that is not WhatsApp's", delay=CONNECT_DELAY)

    def revive(self) -> None:
        self._graph.open()
        self._watch.look_again()

    def read_update(self, raw: str) -> list[Event]:
        return read_update(raw, phone_id=self._settings.cloud.phone_id)

    def fetch_media(self, reference: str) -> Iterator[bytes]:
        return self._media.fetch(reference)

    def templates(self) -> list[Template]:
        return self._templates.find()

    def mount(self, app: Flask) -> None:
        app.register_blueprint(make_blueprint(self._settings, self._keep))

    def _keep(self, raw: str) -> None:
        if self._sink is None:
            raise ServiceUnavailable("The gateway is starting.", retry_after=1)
        self._sink.update(raw)


def _mark_read(api: GraphAPI, *, phone_id: str, message_id: str) -> None:
    api.mark_message_as_read(phone_id, message_id)


def _read_id(answer: Any) -> str:
    """WhatsApp's id. Raises UnknownOutcomeError: a success without one has no meaning we know."""
    try:
        whatsapp_id = answer["messages"][0]["id"]
    except (KeyError, IndexError, TypeError):
        whatsapp_id = None
    if not isinstance(whatsapp_id, str) or not 0 < len(whatsapp_id) <= 128:
        raise UnknownOutcomeError("WhatsApp's answer has no message id")
    return whatsapp_id
