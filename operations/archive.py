"""The archive: a tar file with the two databases, the files, and a manifest that describes them."""

import hashlib
import json
import tarfile
import tomllib
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from config.settings import PROJECT_ROOT
from operations.stores import OperationError

FORMAT = 1
MANIFEST = "manifest.json"
BLOCK = 1 << 20


@dataclass(kw_only=True)
class Manifest:
    """What is in the archive, and what made it."""

    format: int = FORMAT
    version: str
    made_at: str
    kinds: dict[str, str]
    """`sqlite` or `postgresql`, by store."""
    revision: str | None
    """The newest migration of the backend's database."""
    gateway_columns: dict[str, list[str]]
    checksums: dict[str, str] = field(default_factory=dict)
    """SHA-256 of every member, by its name."""


def product_version() -> str:
    """As pyproject.toml has it."""
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class Writer:
    """Adds members; `finish` writes the manifest and lets the archive appear, whole."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._part.touch(mode=0o600)
        self._tar = tarfile.open(self._part, "w:gz", compresslevel=5)
        self.checksums: dict[str, str] = {}

    def add(self, name: str, file: Path) -> None:
        """Raises `FileNotFoundError` where it is gone."""
        checksum = _checksum(file)
        self._tar.add(file, arcname=name, recursive=False)
        self.checksums[name] = checksum

    def finish(self, manifest: Manifest, room: Path) -> None:
        manifest.checksums = self.checksums
        written = room / MANIFEST
        written.write_text(json.dumps(asdict(manifest), indent=1))
        self._tar.add(written, arcname=MANIFEST)
        self._tar.close()
        self._part.replace(self._target)

    def abandon(self) -> None:
        """Leave nothing behind; after `finish` there is nothing."""
        self._tar.close()
        self._part.unlink(missing_ok=True)


def unpack(archive: Path, room: Path) -> Manifest:
    """Everything into a folder, each file compared with its checksum."""
    if not archive.is_file():
        raise OperationError(f"There is no file {archive}.")
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = tar.getmembers()
            for member in members:
                _require_harmless(member)
            tar.extractall(room, members=members, filter="data")
        manifest = Manifest(**json.loads((room / MANIFEST).read_text()))
    except (OSError, EOFError, tarfile.TarError, ValueError, TypeError) as error:
        raise OperationError(f"{archive} is no whole backup ({error}).") from error
    if manifest.format > FORMAT:
        raise OperationError(f"{archive} was made by a newer version ({manifest.version}).")
    _compare(manifest, room, {member.name for member in members})
    return manifest


def _require_harmless(member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if not member.isreg() or path.is_absolute() or ".." in path.parts:
        raise OperationError(f"The archive holds {member.name!r}, which no backup does.")


def _compare(manifest: Manifest, room: Path, names: set[str]) -> None:
    if names != {*manifest.checksums, MANIFEST}:
        raise OperationError("The archive does not hold what its manifest says; it is damaged.")
    for name, checksum in manifest.checksums.items():
        if _checksum(room / name) != checksum:
            raise OperationError(f"{name} is not what the manifest says; the archive is damaged.")


def _checksum(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
