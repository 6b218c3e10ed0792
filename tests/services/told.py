"""What the event log says, against what is stored."""

from typing import Any

import orjson

TOLD = ("id", "ack", "status", "whatsapp_id", "error")
"""What an event says of a message's state."""


class Told:
    """What was told so far of each message."""

    def __init__(self) -> None:
        self.last_event = 0
        self._last: dict[int, dict[str, Any]] = {}

    def read(self, new: list[tuple[int, str]], rows: dict[int, dict[str, Any]]) -> int:
        """What is told last is what is stored, and no state is told twice in a row.

        Returns how many messages were told to be seen.
        """
        seen = 0
        for event_id, data in new:
            assert event_id > self.last_event
            self.last_event, event = event_id, orjson.loads(data)
            if event["type"] in {"message_status", "outbound_message"}:
                told = {name: event["message"][name] for name in TOLD}
                assert told != self._last.get(told["id"]), "told twice"
                self._last[told["id"]] = told
            seen += event["type"] == "message_seen"
        assert self._last == rows
        return seen
