"""Who this shop has to do with, as far as this process has seen."""

import threading

from gateway.chats import LID_SUFFIX
from gateway.drivers.web.addresses import Customer, address_of
from gateway.drivers.web.line import Address

MAX_MET = 50_000


class People:
    """Chats that wrote to us or that we wrote to, and where the last message came from."""

    def __init__(self) -> None:
        self._met: dict[str, Address | None] = {}
        self._lock = threading.Lock()

    def hear_from(self, customer: Customer, at: Address) -> None:
        for name in _names(customer):
            self._remember(name, at)

    def write_to(self, chat: str) -> None:
        with self._lock:
            known = self._met.get(chat)
        self._remember(chat, known)

    def has_met(self, customer: Customer) -> bool:
        with self._lock:
            return any(name in self._met for name in _names(customer))

    def address(self, chat: str) -> Address:
        """Where this chat's messages come from: a phone's may come from its LID."""
        with self._lock:
            return self._met.get(chat) or address_of(chat)

    def _remember(self, name: str, address: Address | None) -> None:
        with self._lock:
            # The longest silent goes first.
            self._met.pop(name, None)
            self._met[name] = address
            if len(self._met) > MAX_MET:
                del self._met[next(iter(self._met))]


def _names(customer: Customer) -> list[str]:
    lid = [] if customer.lid is None else [customer.lid + LID_SUFFIX]
    return [customer.chat, *lid]
