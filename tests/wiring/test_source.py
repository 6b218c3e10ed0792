"""House rules that can be read off the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT

ROOMS = ("config", "crm", "workers", "gateway", "operations", "pages")
SOURCES = sorted(
    path
    for room in (*ROOMS, "tests", "benchmarks")
    for path in (PROJECT_ROOT / room).rglob("*.py")
    if "versions" not in path.parts
)
PRODUCT = [path for path in SOURCES if path.relative_to(PROJECT_ROOT).parts[0] in ROOMS]
READERS = {"config/settings.py", "config/environment.py"}
"""The second one builds the environment of children."""
COMMITTERS = {"crm/transaction.py"}
LONGEST_FILE, LONGEST_FUNCTION = 300, 40


def name(path: Path) -> str:
    return path.relative_to(PROJECT_ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_the_environment_is_read_in_one_place(path: Path) -> None:
    read = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name) and node.value.id == "os"
    ]  # fmt: skip
    assert not read or name(path) in READERS, read


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_commits_are_made_in_one_place(path: Path) -> None:
    committed = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit" and ast.unparse(node.func.value) != "tx"
    ]  # fmt: skip
    allowed = name(path) in COMMITTERS or name(path).startswith("gateway/store/")
    assert not committed or allowed, committed


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_when_a_message_is_due_stands_in_its_row_and_in_no_job(path: Path) -> None:
    """Seen to fail in a copy whose jobs are sent with a countdown."""
    timed = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and (
            {keyword.arg for keyword in node.keywords} & {"countdown", "eta"}
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "retry")
        )
    ]
    assert timed == []


@pytest.mark.parametrize("path", PRODUCT, ids=name)
def test_nothing_is_imported_inside_a_function(path: Path) -> None:
    hidden = [
        node.lineno
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE
    long = {
        function.name: function.end_lineno - function.lineno
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_file_is_called_helpers(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "manager", "misc"}
