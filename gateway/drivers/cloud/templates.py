"""The approved templates that this gateway can fill, remembered for a few minutes."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pywa.api import GraphAPI

from config.settings import Settings
from gateway.drivers.base import PermanentError, TemporaryError
from gateway.drivers.cloud.codes import UNKNOWN_ID
from gateway.drivers.cloud.faults import CONNECT_DELAY
from gateway.drivers.cloud.graph import BROKEN_ANSWER, Graph
from gateway.drivers.events import Template, TemplateUse

REMEMBERED_FOR = 300.0
PAGE = 100
MOST_PAGES = 60
"""An account has at most 6,000 templates; a list that goes round in circles ends here."""
FIELDS = ("name", "language", "category", "status", "parameter_format", "components")
BUSINESS_UNKNOWN = (
    "WHATSAPP_BUSINESS_ID names no WhatsApp account that this token may see; copy the WhatsApp "
    "Business Account ID from API Setup at Meta into WHATSAPP_BUSINESS_ID."
)
PLACE = re.compile(r"\{\{([^{}]+)\}\}")


class Templates:
    def __init__(self, settings: Settings, graph: Graph) -> None:
        self._business_id = settings.cloud.business_id
        self._graph = graph
        self._lock = threading.Lock()
        self._known: list[Template] = []
        self._known_until = 0.0

    def find(self) -> list[Template]:
        """Raises a DriverError where they cannot be asked for."""
        if not self._business_id:
            raise PermanentError(
                "no_business_id",
                "Set WHATSAPP_BUSINESS_ID to the WhatsApp business account's id to list templates.",
            )
        with self._lock:
            if time.monotonic() >= self._known_until:
                self._known = self._insist()
                self._known_until = time.monotonic() + REMEMBERED_FOR
            return self._known

    def _insist(self) -> list[Template]:
        try:
            return self._fetch()
        except BROKEN_ANSWER as error:
            raise TemporaryError("a broken answer", delay=CONNECT_DELAY) from error
        except PermanentError as error:
            if error.code in UNKNOWN_ID:
                raise PermanentError(error.code, BUSINESS_UNKNOWN) from error
            raise

    def _fetch(self) -> list[Template]:
        found: list[Template] = []
        pagination: dict[str, Any] = {"limit": PAGE}
        for _ in range(MOST_PAGES):
            page = self._graph.ask(self._page(pagination))
            found += [template for entry in page["data"] for template in _read(entry)]
            paging = page.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after")
            if not paging.get("next") or not after:
                break
            pagination = {"limit": PAGE, "after": after}
        return sorted(found, key=lambda template: (template.name, template.language))

    def _page(self, pagination: dict[str, Any]) -> Callable[[GraphAPI], dict[str, Any]]:
        return lambda api: api.get_templates(
            self._business_id,
            fields=FIELDS,
            filters={"status": "APPROVED"},
            pagination=pagination,
        )


def write_template(use: TemplateUse) -> dict[str, Any]:
    """The `template` object of a send."""
    written: dict[str, Any] = {"name": use.name, "language": {"code": use.language}}
    if use.params:
        values = [{"type": "text", "text": value} for value in use.params]
        written["components"] = [{"type": "body", "parameters": values}]
    return written


def _read(entry: dict[str, Any]) -> Iterator[Template]:
    """Nothing where it needs what `params` cannot give: a file, a button's value, named places."""
    components = {str(part.get("type")).upper(): part for part in entry.get("components") or []}
    body = (components.get("BODY") or {}).get("text")
    if entry.get("status") != "APPROVED" or body is None or not _is_plain(components):
        return
    places = set(PLACE.findall(body))
    if places == {str(number + 1) for number in range(len(places))}:
        yield Template(
            name=entry["name"],
            language=entry["language"],
            category=str(entry.get("category", "")).lower(),
            body=body,
            params=len(places),
        )


def _is_plain(components: dict[str, dict[str, Any]]) -> bool:
    header = components.get("HEADER") or {"format": "TEXT"}
    if header.get("format", "TEXT") != "TEXT" or PLACE.search(header.get("text") or ""):
        return False
    buttons = (components.get("BUTTONS") or {}).get("buttons") or []
    if any(button.get("type") in {"OTP", "COPY_CODE", "FLOW", "CATALOG"} for button in buttons):
        return False
    return not any(PLACE.search(button.get("url") or "") for button in buttons)
