"""Sending: the number is looked up once, and the library's errors become decisions."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence

from gateway.drivers.base import DriverError, PermanentError, TemporaryError, UnknownOutcomeError
from gateway.drivers.events import Outgoing
from gateway.drivers.web.addresses import LID_SERVERS, address_of
from gateway.drivers.web.line import Address, Line, LineError

SOON = 5.0
RATE_PAUSE = 60.0
MAX_KNOWN = 50_000
SERVER_ERROR = re.compile(r"server returned error (\d+)")

NOTHING_SENT = (
    "websocket not connected",
    "client is nil",
    "doesn't contain a device",
    "failed to get device list",
    "failed to get user devices",
    "failed to get lid for pn",
    "failed to fetch prekeys",
    "not logged in",
)
"""Words of whatsmeow that are only said before a message leaves."""
RATE = ("rate-overlimit", "status 429", "server returned error 429")
REFUSALS = {
    "463": "WhatsApp does not let this number write first to this person for now.",
    "475": "WhatsApp does not let this number write to this person for now.",
    "479": "WhatsApp did not accept the message.",
}


class Phonebook:
    """Who was found on WhatsApp since the process began; those not found may join tomorrow."""

    def __init__(self) -> None:
        self._known: dict[str, Address] = {}
        self._lock = threading.Lock()

    def look_up(self, chat: str, line: Line) -> Address:
        """Whom to write to. Raises a DriverError; nothing was sent then."""
        address = address_of(chat)
        if address.server in LID_SERVERS:
            return address
        with self._lock:
            known = self._known.get(chat)
        if known is None:
            known = self._ask(chat, line)
            with self._lock:
                if len(self._known) >= MAX_KNOWN:
                    self._known.clear()
                self._known[chat] = known
        return known

    def _ask(self, chat: str, line: Line) -> Address:
        try:
            found = line.find_user(chat)
        except LineError as error:
            raise _not_yet(str(error)) from error
        if found is None:
            raise _not_on_whatsapp()
        return found


def send_text(outgoing: Outgoing, line: Line, phonebook: Phonebook) -> str:
    """Send a text; returns WhatsApp's id. Raises a DriverError."""
    if outgoing.template is not None:
        raise PermanentError("no_templates", "WhatsApp Web knows no templates; send a text.")
    address = phonebook.look_up(outgoing.chat, line)
    try:
        return line.send(address, outgoing.text)
    except LineError as error:
        raise judge(str(error)) from error


def mark_read(whatsapp_ids: Sequence[str], chat: Address, *, line: Line) -> None:
    """Give a read receipt. Raises TemporaryError: a repeat does no harm."""
    # The library joins them with spaces.
    known = [whatsapp_id for whatsapp_id in whatsapp_ids if whatsapp_id.split() == [whatsapp_id]]
    if not known:
        return
    try:
        line.mark_read(chat, known)
    except LineError as error:
        raise TemporaryError("The read receipt could not be given.", delay=SOON) from error


def judge(words: str) -> DriverError:
    """What the library's words about a send mean. What is not known for sure is unknown."""
    said = words.lower()
    if any(sign in said for sign in RATE):
        return TemporaryError("WhatsApp asks for fewer messages.", delay=RATE_PAUSE)
    if any(sign in said for sign in NOTHING_SENT):
        return TemporaryError("not connected", delay=SOON)
    if "no lid found" in said:
        return _not_on_whatsapp()
    if "unknown server" in said or "message recipient must be" in said:
        return PermanentError("bad_address", "WhatsApp has no such address.")
    if refused := SERVER_ERROR.search(said):
        code = refused[1]
        reason = REFUSALS.get(code, f"WhatsApp refused the message (error {code}).")
        return PermanentError(f"refused_{code}", reason, retryable=True)
    return UnknownOutcomeError("The connection broke while WhatsApp had yet to answer.")


def _not_yet(words: str) -> TemporaryError:
    """A look-up sends nothing, so it is always safe to try again."""
    pause = RATE_PAUSE if any(sign in words.lower() for sign in RATE) else SOON
    return TemporaryError("The number could not be looked up.", delay=pause)


def _not_on_whatsapp() -> PermanentError:
    return PermanentError("not_on_whatsapp", "This number is not on WhatsApp.")
