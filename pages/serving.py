"""The page's files in front of another WSGI application, which gets all other requests."""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whitenoise.string_utils import decode_path_info

from config.request_ids import choose_request_id
from config.settings import Settings
from pages.files import Files
from pages.policy import page_headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

CONFIG = "/config.js"
"""The script that every page loads first: it tells where the API is."""
BUILT = ".built"
"""Written last by `config.setup_frontend`, and never served."""
LOOK_EVERY = 1.0
"""Seconds between two looks for a new build: to look takes as long as many an answer."""
NOT_BUILT = "The page is not built: run make setup"


class Pages:
    """`GET` and `HEAD` of the built files, of `/` and of `/config.js`.

    `find_api` tells the API's address for a request, "" where it is the page's own.
    `is_taken` tells addresses that are the application's, whatever the build brings.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        settings: Settings,
        *,
        find_api: Callable[["WSGIEnvironment"], str] = lambda _environ: "",
        is_taken: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        self._application, self._settings = application, settings
        self._find_api, self._is_taken = find_api, is_taken
        self._marks = [settings.pages_dir / name for name in ("index.html", BUILT)]
        self._seen, self._looked_at = _changed_at(self._marks), time.monotonic()
        self._files = self._find_files()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        path = decode_path_info(environ.get("PATH_INFO", ""))
        file = self._present_files().get(path)
        if path not in {CONFIG, "/"} and file is None:
            return self._application(environ, start_response)
        api = self._find_api(environ)
        start = self._with_headers(environ, start_response, api)
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            detail = {"detail": "This address does not take that method."}
            return answer(environ, start, "405 Method Not Allowed", detail, {"Allow": "GET, HEAD"})
        if path == CONFIG:
            return say_where(environ, start, api)
        try:
            if file is not None:
                return Files.serve(file, environ, start)  # type: ignore[no-any-return]
        except FileNotFoundError:  # the next build is under way
            pass
        return answer(environ, start, "404 Not Found", {"detail": NOT_BUILT})

    def _with_headers(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", api: str
    ) -> "StartResponse":
        """Adds the headers of every page, and to redirects what stood behind the `?`."""
        own = page_headers(self._settings, api=api)
        own["X-Request-ID"] = choose_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        query = environ.get("QUERY_STRING")

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if query and status.startswith("302"):
                headers = [(n, f"{v}?{query}" if n == "Location" else v) for n, v in headers]
            return start_response(status, [*headers, *own.items()], *rest)

        return start

    def _present_files(self) -> dict[str, Any]:
        """In production what was there at the start; else a finished build shows by itself."""
        moment = time.monotonic()
        if not self._settings.is_production and moment >= self._looked_at + LOOK_EVERY:
            self._looked_at = moment
            present = _changed_at(self._marks)
            if present != self._seen:
                self._seen, self._files = present, self._find_files()
        return self._files

    def _find_files(self) -> dict[str, Any]:
        found: dict[str, Any] = Files(self._settings.pages_dir, is_taken=self._is_taken).files
        return found


def answer(
    environ: "WSGIEnvironment",
    start_response: "StartResponse",
    status: str,
    document: dict[str, str],
    headers: dict[str, str] | None = None,
) -> Iterable[bytes]:
    """One JSON document, which is never kept."""
    body = json.dumps(document).encode()
    described = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
    }
    start_response(status, [*(described | (headers or {})).items()])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def say_where(
    environ: "WSGIEnvironment", start_response: "StartResponse", api: str
) -> Iterable[bytes]:
    """`/config.js`: the API's address, "" where it is that of the page."""
    body = config_script(api).encode()
    headers = [
        ("Content-Type", "text/javascript; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


def config_script(api: str) -> str:
    """What `/config.js` says."""
    return f"window.CRM_API = {json.dumps(api)};\n"


def _changed_at(files: Iterable[Path]) -> list[int]:
    """Differs after every build, by `make setup` or by hand."""
    return [_mtime(file) for file in files]


def _mtime(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
