"""An EventSource as far as a test needs one: reads, is cut, and resumes by its last id."""

import json
import threading
from contextlib import suppress
from typing import Any

import httpx

from tests.kit.waiting import eventually

TIMEOUT = httpx.Timeout(10.0, read=40.0)


class EventReader:
    """Reads one event stream on a thread; `events` are the JSON objects in order of arrival."""

    def __init__(self, url: str, *, last_id: str | None = None) -> None:
        self.url = url
        self.last_id = last_id
        self.ids: list[int] = []
        self.events: list[dict[str, Any]] = []
        self.mentions: list[dict[str, Any]] = []
        """What came without an id."""
        self._pending_id: str | None = None
        self.is_open = threading.Event()
        self.status: int | None = None
        self._stopped = threading.Event()
        self._response: httpx.Response | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "EventReader":
        self._thread.start()
        assert self.is_open.wait(15), f"the stream did not open: {self.status}"
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.cut()
        self._thread.join(15)

    def cut(self) -> None:
        """Lose the connection; the reader comes back by itself."""
        response = self._response
        if response is not None:
            with suppress(Exception):
                stream = response.extensions["network_stream"]
                stream.get_extra_info("socket").shutdown(2)

    def types(self) -> list[str]:
        """The types read so far."""
        return [event["type"] for event in list(self.events)]

    def wait_for(self, event_type: str, *, count: int = 1, timeout: float = 20) -> dict[str, Any]:
        """The newest event of a type, once there are `count` of it."""

        def found() -> dict[str, Any] | None:
            matching = [event for event in list(self.events) if event["type"] == event_type]
            return matching[-1] if len(matching) >= count else None

        return eventually(found, timeout=timeout)

    def _run(self) -> None:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
            while not self._stopped.is_set():
                with suppress(httpx.HTTPError, OSError):
                    self._read(client)
                self._stopped.wait(0.05)

    def _read(self, client: httpx.Client) -> None:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with client.stream("GET", self.url, headers=headers) as response:
            self.status = response.status_code
            if response.status_code != 200:
                self._stopped.wait(0.2)
                return
            self._response = response
            for line in response.iter_lines():
                self._take(line)
                if self._stopped.is_set():
                    return

    def _take(self, line: str) -> None:
        # Our stream puts the id of an event before its data, and both before the blank line.
        if line.startswith("id: "):
            self._pending_id = line.removeprefix("id: ")
            if not self.is_open.is_set():
                self.last_id = self._pending_id
                self.is_open.set()
        elif line.startswith("data: ") and self._pending_id is None:
            self.mentions.append(json.loads(line.removeprefix("data: ")))
        elif line.startswith("data: "):
            assert self._pending_id is not None
            self.ids.append(int(self._pending_id))
            self.events.append(json.loads(line.removeprefix("data: ")))
            self.last_id = self._pending_id
        elif not line:
            self._pending_id = None
