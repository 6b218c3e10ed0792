"""A stand-in for the built page: a folder as `next build` leaves it."""

import os
from pathlib import Path

from werkzeug.test import Client

FILES = {
    "index.html": "<!doctype html><title>Inbox</title><script src=/_next/static/a1.js></script>",
    "login/index.html": "<!doctype html><title>Sign in</title>",
    "app/failed/index.html": "<!doctype html><title>Failed messages</title>",
    "404.html": "<!doctype html><title>Not found</title>",
    "theme.js": "document.documentElement.dataset.theme = 'dark';",
    "manifest.webmanifest": '{"name": "Inbox"}',
    "icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
    "_next/static/a1.js": "document.title = 'Inbox runs';",
    "_next/static/a1.js.gz": "pretends to be compressed",
    ".built": "fingerprint",
    ".git/config": "secret",
    "config.js": 'window.CRM_API = "http://left-by-development:1";',
}
LONG_AGO = 1_700_000_000


def build_page(folder: Path, **changed: str) -> Path:
    """The stand-in in `folder`; `changed` are other texts of files, by their stem."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(changed.get(file.stem, text) if file.parent == folder else text)
        os.utime(file, (LONG_AGO, LONG_AGO))
    return folder


def policy_of(client: Client, path: str = "/", **headers: str) -> dict[str, str]:
    """What a page may load, and from where, by the names of the policy."""
    text = client.get(path, headers=headers).headers["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in text.split("; "))
