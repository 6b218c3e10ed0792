"""One database into one file and back, consistent while others write to it."""

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from shutil import which

from sqlalchemy import MetaData
from sqlalchemy.engine import URL

from config.environment import child_environment
from operations.stores import OperationError, Store

EXTENSIONS = {"sqlite": "sqlite3", "postgresql": "pgdump"}


def dump(store: Store, target: Path) -> None:
    """Write what is committed at one moment."""
    if store.kind == "sqlite":
        _copy_sqlite(store.file, target)
        _require_sound(target)
    else:
        _run("pg_dump", store.parsed, "--format=custom", "--no-owner", "--no-privileges",
             f"--file={target}")  # fmt: skip


def load(store: Store, source: Path) -> None:
    """Put a file's content in the place of what is there."""
    if store.kind == "sqlite":
        _require_sound(source)
        store.engine.dispose()
        store.file.parent.mkdir(parents=True, exist_ok=True)
        for suffix in ("-wal", "-shm"):
            # Of the old file: with the new one they would be taken for its last changes.
            store.file.with_name(store.file.name + suffix).unlink(missing_ok=True)
        source.replace(store.file)
        return
    _drop_tables(store)
    _run("pg_restore", store.parsed, "--no-owner", "--no-privileges", "--exit-on-error",
         "--single-transaction", str(source))  # fmt: skip


def _copy_sqlite(source: Path, target: Path) -> None:
    """All pages in one step, which holds one snapshot and stops no writer (WAL)."""
    with closing(sqlite3.connect(source, timeout=30)) as original:
        with closing(sqlite3.connect(target)) as copy:
            original.backup(copy)
            # One file, that a restore may move.
            copy.execute("PRAGMA journal_mode=DELETE")
    target.chmod(0o600)


def _require_sound(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        (told,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if told != "ok":
        raise OperationError(f"{file.name} is damaged ({told}); nothing was changed.")


def _drop_tables(store: Store) -> None:
    known = MetaData()
    known.reflect(store.engine)
    known.drop_all(store.engine)


def _run(program: str, url: URL, *arguments: str) -> None:
    """The password goes by the environment: a command line is shown to everybody."""
    if not which(program):
        raise OperationError(
            f"{program} is not on the PATH, and PostgreSQL needs it; install PostgreSQL's client "
            "of the server's version or newer (Debian: apt install postgresql-client)."
        )
    address = url.set(drivername="postgresql", password=None).render_as_string()
    password = {"PGPASSWORD": str(url.password)} if url.password else {}
    done = subprocess.run(
        [program, f"--dbname={address}", "--no-password", *arguments],
        env=child_environment(password),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        told = " ".join(done.stderr.split())[:500]
        raise OperationError(f"{program} failed: {told}")
