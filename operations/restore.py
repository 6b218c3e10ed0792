"""`make restore FILE=…`: what a backup holds, put where nothing is, or where FORCE=1 says so.

Between the backup and today, whatever was on its way has probably gone out. So it is shown as
`unknown`, and an agent decides; RESUME=1 says that nothing ran since, and sends it.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from config.settings import Settings, load_settings
from gateway.store.tables import metadata as gateway_metadata
from operations import archive
from operations.archive import Manifest
from operations.dumps import EXTENSIONS, load
from operations.settling import settle_backend, settle_gateway
from operations.stores import (
    OperationError,
    Store,
    backend_store,
    gateway_store,
    known_revisions,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Restore, and say what is to be done next."""
    parser = argparse.ArgumentParser(prog="make restore", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--force", action="store_true", help="replace what is there")
    parser.add_argument("--resume", action="store_true", help="nothing ran since the backup")
    options = parser.parse_args(arguments)
    file = options.file.expanduser().resolve()
    manifest = restore(load_settings(), file, force=options.force, resume=options.resume)
    print(f"Restored what version {manifest.version} had at {manifest.made_at}.")
    print("Now run the migrations (the Procfile's `release`; `make run` does) and start.")


def restore(settings: Settings, file: Path, *, force: bool, resume: bool) -> Manifest:
    """Check all, then replace. Raises `OperationError` before anything is changed."""
    stores = (backend_store(settings), gateway_store(settings))
    media = settings.var_dir / "media"
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    # In VAR_DIR, so that files can be moved to their places.
    with tempfile.TemporaryDirectory(dir=settings.var_dir, prefix=".restore-") as folder:
        room = Path(folder)
        manifest = archive.unpack(file, room)
        _require_known(manifest)
        for store in stores:
            _require_fit(store, manifest, force=force)
        if media.is_dir() and any(media.iterdir()) and not force:
            raise OperationError(f"{media} has files; FORCE=1 replaces them.")
        held = [store for store in stores if store.name in manifest.kinds]
        for store in held:
            load(store, room / f"{store.name}.{EXTENSIONS[store.kind]}")
        _replace_media(room / "media", media)
    for store, settle in zip(stores, (settle_backend, settle_gateway), strict=True):
        if store in held:
            settle(store, resume=resume)
    return manifest


def _require_known(manifest: Manifest) -> None:
    if manifest.revision not in known_revisions():
        raise OperationError(
            f"The backup's schema {manifest.revision} is newer than this code (the backup is of "
            f"version {manifest.version}); update the code first."
        )
    known = {
        table.name: {column.name for column in table.columns}
        for table in gateway_metadata.sorted_tables
    }
    for table, columns in manifest.gateway_columns.items():
        if extra := set(columns) - known.get(table, set()):
            raise OperationError(
                f"The gateway's table {table} has {', '.join(sorted(extra))} in the backup, which "
                f"this code does not know (the backup is of version {manifest.version}); update "
                "the code first."
            )


def _require_fit(store: Store, manifest: Manifest, *, force: bool) -> None:
    kind = manifest.kinds.get(store.name)
    if kind is None:
        return
    if kind != store.kind:
        raise OperationError(
            f"The backup holds {kind}, and {store.variable} names {store.kind}; restore into "
            f"{kind}, then move it with `make move-database`."
        )
    if not store.exists():
        return
    full = store.first_full_table()
    if full and not force:
        raise OperationError(
            f"{store.variable} has data already (in {full}); FORCE=1 replaces all of it."
        )
    if store.is_used():
        raise OperationError(f"{store.variable} is in use; stop every process first.")


def _replace_media(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    if source.is_dir():
        source.chmod(0o700)
        source.replace(target)


if __name__ == "__main__":
    main()
