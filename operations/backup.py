"""`make backup FILE=…`: both databases and the customers' files as one archive.

The order is what makes the pair safe: first the backend's database, then the gateway's store.
Whatever the first says was handed over, the second knows, so nothing is handed over twice.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from config.settings import Settings, load_settings
from gateway.media_files import PART
from operations import archive
from operations.archive import Manifest, Writer
from operations.dumps import EXTENSIONS, dump
from operations.stores import OperationError, Store, backend_store, gateway_store


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the archive; an existing file is never overwritten."""
    parser = argparse.ArgumentParser(prog="make backup", description=__doc__)
    parser.add_argument("file", type=Path)
    target = parser.parse_args(arguments).file.expanduser().resolve()
    manifest = back_up(load_settings(), target)
    size = target.stat().st_size / 1e6
    print(f"{target} ({size:.1f} MB) holds {len(manifest.checksums)} files as of their copying.")


def back_up(settings: Settings, target: Path) -> Manifest:
    """Copy, check and pack. Raises `OperationError`."""
    if target.exists():
        raise OperationError(f"{target} exists already; a backup never replaces another.")
    if not target.parent.is_dir():
        raise OperationError(f"The folder {target.parent} is not there.")
    stores = (backend_store(settings), gateway_store(settings))
    if not stores[0].exists():
        raise OperationError(f"There is nothing at {stores[0].variable} to be backed up.")
    manifest = Manifest(
        version=archive.product_version(),
        made_at=archive.now(),
        kinds={},
        revision=stores[0].revision(),
        gateway_columns=stores[1].columns() if stores[1].exists() else {},
    )
    # Beside the target: there is room for it, and it is nobody's to read.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as room:
        _pack(stores, settings.var_dir / "media", manifest, target, Path(room))
    return manifest


def _pack(
    stores: Sequence[Store], media: Path, manifest: Manifest, target: Path, room: Path
) -> None:
    writer = Writer(target)
    try:
        for store in stores:
            if store.exists():
                name = f"{store.name}.{EXTENSIONS[store.kind]}"
                dump(store, room / name)
                manifest.kinds[store.name] = store.kind
                writer.add(name, room / name)
        for file in _whole_files(media):
            # One that is too old is deleted meanwhile.
            with suppress(FileNotFoundError):
                writer.add(f"media/{file.name}", file)
        writer.finish(manifest, room)
    finally:
        writer.abandon()


def _whole_files(media: Path) -> list[Path]:
    found = sorted(media.iterdir()) if media.is_dir() else []
    return [file for file in found if file.is_file() and file.suffix != PART]


if __name__ == "__main__":
    main()
