"""One process of the storm: `python -m tests.services.storm_client URL FILE`.

Posts each line of the file, [path, body], from a few threads that share the work; what answers 503
is asked again. Prints how often each status came.
"""

import json
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

THREADS = 4
AGAIN = {"503", "lost"}
AGAIN_AFTER = 0.2


class Storm:
    """Calls that threads take one by one, and the statuses that they got."""

    def __init__(self, netloc: str, lines: list[str]) -> None:
        self._netloc = netloc
        self._calls = iter([json.loads(line) for line in lines])
        self._lock = threading.Lock()
        self.statuses: Counter[str] = Counter()

    def run(self) -> None:
        """One thread's share."""
        connection = HTTPConnection(self._netloc, timeout=60)
        while call := self._take():
            path, body = call
            while (status := _post(connection, path, json.dumps(body))) in AGAIN:
                self._count(status)
                time.sleep(AGAIN_AFTER)
            self._count(status)
        connection.close()

    def _take(self) -> tuple[str, dict[str, object]] | None:
        with self._lock:
            return next(self._calls, None)

    def _count(self, status: str) -> None:
        with self._lock:
            self.statuses[status] += 1


def main() -> None:
    url, file = sys.argv[1:]
    storm = Storm(urlsplit(url).netloc, Path(file).read_text().splitlines())
    threads = [threading.Thread(target=storm.run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(storm.statuses))


def _post(connection: HTTPConnection, path: str, body: str) -> str:
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        response.read()
    except (HTTPException, OSError):
        connection.close()
        return "lost"
    return str(response.status)


if __name__ == "__main__":
    main()
