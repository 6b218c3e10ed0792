"""`make setup`: the virtual environment and the pinned packages, made once and kept in step.

Runs before anything is installed, so it uses nothing but the standard library.
"""

import hashlib
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".venv"
PYTHON = FOLDER / "bin" / "python"
PACKAGES = ROOT / "requirements-dev.txt"
STAMP = FOLDER / ".setup"


def main() -> None:
    """Nothing when all is in place, which takes a moment only."""
    wanted = _fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and _works():
        return
    if not _works():
        _make_environment()
    print("Installing the packages; the first time this takes a minute or two.", flush=True)
    STAMP.unlink(missing_ok=True)
    _install()
    STAMP.write_text(wanted)
    print("Set up. Start everything with: make run")


def _fingerprint() -> str:
    """Changes with the packages, and with the folder since scripts in it name it."""
    return hashlib.sha256(PACKAGES.read_bytes() + bytes(FOLDER)).hexdigest()


def _works() -> bool:
    if not PYTHON.exists():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", check], capture_output=True).returncode == 0


def _make_environment() -> None:
    if not find_spec("ensurepip") and not find_spec("pip"):
        sys.exit(
            "This Python cannot make virtual environments: neither ensurepip nor pip is there. "
            "On Debian and Ubuntu: apt install python3-venv"
        )
    print(f"Making .venv with Python {sys.version.split()[0]}.", flush=True)
    venv.create(FOLDER, clear=True, symlinks=True, with_pip=find_spec("ensurepip") is not None)


def _install() -> None:
    pip: list[str | Path] = [PYTHON, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        pip = [sys.executable, "-m", "pip", "--python", PYTHON]
    options = ("-qq", "--disable-pip-version-check", "--no-input", "--require-hashes")
    if subprocess.run([*pip, "install", *options, "--requirement", PACKAGES]).returncode:
        sys.exit(
            "The packages could not be installed; the reason is above. Is there a connection to "
            "the package index? Then run `make setup` again."
        )


if __name__ == "__main__":
    main()
