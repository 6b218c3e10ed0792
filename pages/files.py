"""The files of the built page, found once and told apart by how long browsers may keep them."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from whitenoise import WhiteNoise

HASHED = "/_next/static/"
"""The build names these after what is in them, so none ever changes."""
YEAR = 365 * 24 * 60 * 60
TYPES = {".webmanifest": "application/manifest+json"}


class Files(WhiteNoise):  # type: ignore[misc]
    """What may be served: regular files only. No link is followed, nothing hidden is shown."""

    FOREVER = YEAR

    def __init__(self, folder: Path, *, is_taken: Callable[[str], bool]) -> None:
        self._is_taken = is_taken
        super().__init__(
            _nobody,
            root=folder if folder.is_dir() else None,
            max_age=0,  # asked for anew with its ETag, or an old page would outlive its scripts
            allow_all_origins=False,
            mimetypes=TYPES,
            index_file=True,
            immutable_file_test=lambda _path, url: url.startswith(HASHED),
        )

    def update_files_dictionary(self, root: str, prefix: str) -> None:
        """whitenoise's own follows links, also out of the folder."""
        found = {}
        for place, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for path in (os.path.join(place, name) for name in names if not name.startswith(".")):
                # A build that is under way may have taken it already.
                with suppress(FileNotFoundError):
                    if not os.path.islink(path):
                        found[path] = os.stat(path)
        for path in found:
            url = prefix + path[len(root) :].replace(os.sep, "/")
            # A page answers with its last stroke, and leads there without it.
            addresses = {url.removesuffix(end) for end in ("index.html", "/index.html")}
            if not any(map(self._is_taken, addresses)):
                self.add_file_to_dictionary(url, path, stat_cache=found)


def _nobody(_environ: Any, _start_response: Any) -> Any:
    raise LookupError("these files are asked for by name only")
