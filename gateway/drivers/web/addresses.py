"""JIDs and chats: a phone and a LID are kept apart, and mapped where WhatsApp tells the map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.chats import LID, LID_SUFFIX, PHONE
from gateway.drivers.web.line import Address, Proto

PHONE_SERVER = "s.whatsapp.net"
PHONE_SERVERS = {PHONE_SERVER, "c.us", "hosted"}
LID_SERVERS = {"lid", "hosted.lid"}


class Directory(Protocol):
    """Who is who, as far as it is known here."""

    def find_phone(self, lid: str) -> str | None: ...

    def find_lid(self, phone: str) -> str | None: ...

    def is_ours(self, address: Address) -> bool: ...

    def has_met(self, customer: Customer) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """`chat` names them to the gateway; `lid` where both it and the phone are known."""

    chat: str
    lid: str | None = None


def address_of(chat: str) -> Address:
    """Where to send for a chat."""
    if chat.endswith(LID_SUFFIX):
        return Address(user=chat.removesuffix(LID_SUFFIX), server="lid")
    return Address(user=chat, server=PHONE_SERVER)


def find_customer(source: Proto, directory: Directory) -> Customer | None:
    """Who wrote, or whose receipt it is; None for groups, broadcasts, channels and bots."""
    if source.IsGroup or source.Chat.Server not in PHONE_SERVERS | LID_SERVERS:
        return None
    return name_customer([source.Sender, source.SenderAlt, source.Chat], directory)


def name_customer(jids: list[Proto], directory: Directory) -> Customer | None:
    """The customer behind several JIDs of one person."""
    phone = _first(jids, PHONE_SERVERS)
    lid = _first(jids, LID_SERVERS)
    if phone is None and lid is not None:
        phone = directory.find_phone(lid)
    if phone is not None and PHONE.fullmatch(phone):
        return Customer(chat=phone, lid=lid or directory.find_lid(phone))
    if lid is not None and LID.fullmatch(lid + LID_SUFFIX):
        return Customer(chat=lid + LID_SUFFIX)
    return None


def _first(jids: list[Proto], servers: set[str]) -> str | None:
    return next((jid.User for jid in jids if jid.Server in servers and jid.User), None)
