"""What is asked of neonize's own client, and what it tells while it ends."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.settings import PROJECT_ROOT
from tests.gateway.web.far_side import LID, PHONE

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def played(protos: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder: Path = tmp_path_factory.mktemp("session")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.gateway.web.library", str(folder / "session.sqlite3")],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def test_what_arrives_while_the_line_ends_is_still_told(played):
    """WhatsApp has its acknowledgement by then and would not send it again."""
    assert played["events"] == ["Connected", "Message", "Receipt"]
    assert played["stops"] == 1


def test_a_read_receipt_names_the_chat_and_no_sender(played):
    assert played["read"] == {"ids": ["A", "B"], "chat": PHONE, "sender": "", "kind": "READ"}


def test_a_download_names_a_path_and_no_url(played):
    part, _, said = played["file"].partition(" ")
    assert part == "stickerMessage"
    assert 'directPath: "/v"' in said and "fileLength: 5" in said
    assert "URL" not in said


def test_our_own_phone_and_lid_are_known(played):
    assert played["own"] == [PHONE, LID]
