"""The customer's own document, taken apart: `seed.txt` is a copy of it, byte for byte."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENDPOINT = re.compile(r"^#### (GET|POST) (/\S*)$")
LABEL = re.compile(r"^(?:\d\. )?\*\*(.+?)[::]?\*\*")
KINDS = {"请求": "request", "响应": "response", "事件": "event", "错误": "error"}
DOCUMENT = Path(__file__).parent / "seed.txt"


@dataclass(frozen=True, slots=True)
class Block:
    """One JSON example: under which endpoint it stands, and what it shows."""

    endpoint: str
    kind: str
    text: str

    @property
    def document(self) -> Any:
        return json.loads(self.text)

    def __str__(self) -> str:
        return f"{self.endpoint} {self.kind}"


def endpoints() -> list[str]:
    """Every endpoint heading, as `POST /messages/send`."""
    lines = DOCUMENT.read_text().splitlines()
    return [" ".join(found.groups()) for line in lines if (found := ENDPOINT.match(line))]


def blocks(kind: str | None = None) -> list[Block]:
    """The JSON examples of a kind, or all of them."""
    return [block for block in _blocks() if kind in {None, block.kind}]


def example(endpoint: str, kind: str) -> Any:
    """The one example of an endpoint, or None where it shows none."""
    found = [block.document for block in blocks(kind) if block.endpoint == endpoint]
    assert len(found) <= 1, f"{endpoint} shows {len(found)} of {kind}"
    return found[0] if found else None


def _blocks() -> Iterator[Block]:
    endpoint, label, lines = "", "", None
    for line in DOCUMENT.read_text().splitlines():
        if lines is not None and line == "```":
            yield Block(endpoint, _kind(label), "\n".join(lines))
            lines = None
        elif lines is not None:
            lines.append(line)
        elif line == "```json":
            lines = []
        elif found := ENDPOINT.match(line):
            endpoint = " ".join(found.groups())
        elif line.startswith("##"):
            endpoint = ""
        elif found := LABEL.match(line):
            label = found[1]


def _kind(label: str) -> str:
    return next((kind for word, kind in KINDS.items() if word in label and
                 not ("错误" in label and kind == "response")), label)  # fmt: skip


def find_difference(example: Any, actual: Any, where: str = "answer") -> str | None:
    """Where `actual` lacks a key of the example, or has another JSON type; else None."""
    if json_type(example) != json_type(actual):
        return f"{where} is {json_type(actual)}, in the seed {json_type(example)}"
    if isinstance(example, dict):
        if missing := example.keys() - actual.keys():
            return f"{where} lacks {sorted(missing)}"
        pairs = [(example[key], actual[key], f"{where}.{key}") for key in example]
    elif isinstance(example, list) and example:
        pairs = [(example[0], item, f"{where}[{n}]") for n, item in enumerate(actual)]
    else:
        pairs = []
    return next((found for pair in pairs if (found := find_difference(*pair))), None)


def json_type(value: Any) -> str:
    """The JSON name of a type, whole numbers apart from fractions."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer",
             float: "number", type(None): "null"}  # fmt: skip
    return names[type(value)]
