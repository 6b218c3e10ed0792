"""`make check`: requirements*.txt say what requirements*.in ask for, with every package hashed."""

import re
import sys
from pathlib import Path

from packaging.requirements import Requirement

from config.settings import PROJECT_ROOT

PAIRS = (
    ("requirements.in", "requirements.txt"),
    ("requirements-dev.in", "requirements-dev.txt"),
    ("requirements-whatsapp.in", "requirements-whatsapp.txt"),
    ("requirements-node.in", "requirements-node.txt"),
    ("requirements-bench.in", "requirements-bench.txt"),
)
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)")


def find_differences(root: Path) -> list[str]:
    """One sentence for each thing that `make lock` would change, as far as files can tell."""
    locks = {lock: _read_lock(root / lock) for _, lock in PAIRS}
    found = []
    for source, lock in PAIRS:
        asked = _read_source(root / source)
        for requirement in asked:
            pins = locks[lock].get(_normal(requirement.name), set())
            if not pins or not all(requirement.specifier.contains(pin, True) for pin in pins):
                held = ", ".join(sorted(pins)) or "nothing"
                found.append(f"{source} asks for {requirement}, {lock} has {held}.")
        found += _unhashed(root / lock)
        found += _unasked(root / lock, source, {_normal(r.name) for r in asked})
    return found + _disagreements([locks[lock] for _, lock in PAIRS])


def _disagreements(locks: list[dict[str, set[str]]]) -> list[str]:
    """Packages that two files pin and not alike. All of the product is in the second one."""
    product, development, *optional = locks
    found = [
        f"{name} is pinned differently in {PAIRS[0][1]} and {PAIRS[1][1]}."
        for name in product
        if product[name] != development.get(name)
    ]
    return found + [
        f"{name} is pinned differently in {PAIRS[1][1]} and {lock}."
        for (_, lock), pins in zip(PAIRS[2:], optional, strict=True)
        for name in pins
        if pins[name] != development.get(name, pins[name])
    ]


def _read_source(path: Path) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r ")]


def _read_lock(path: Path) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for line in path.read_text().splitlines():
        if match := PIN.match(line):
            pins.setdefault(_normal(match[1]), set()).add(match[2])
    return pins


def _unhashed(lock: Path) -> list[str]:
    blocks = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
    return [
        f"{match[1]} has no hash in {lock.name}."
        for block in blocks
        if (match := PIN.match(block)) and "--hash=sha256:" not in block
    ]


def _unasked(lock: Path, source: str, asked: set[str]) -> list[str]:
    """Packages that the lock file says the source asks for, and it does not any more."""
    blocks = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
    return [
        f"{lock.name} holds {match[1]} for {source}, which does not ask for it."
        for block in blocks
        if (match := PIN.match(block))
        and re.search(rf"-r {re.escape(source)}$", block, flags=re.MULTILINE)
        and _normal(match[1]) not in asked
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    differences = find_differences(PROJECT_ROOT)
    if differences:
        sys.exit("\n".join([*differences, "Run `make lock` and commit what it changes."]))
