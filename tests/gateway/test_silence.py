"""The real process with a connection that dies silently: found, said, and recovered or asked."""

import time

import httpx
import pytest

from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
LOOKS_A_DAY = 24 * 60 * 2
"""The gateway looks every 30 s."""


def looks(process) -> int:
    return httpx.get(f"{process.url}/simulator/state", timeout=20).json()["probes"]


def test_a_day_s_looks_find_no_fault_and_then_a_death_and_a_recovery(process, backend):
    """Scaled: Debian's libfaketime does not know the wait of Python's locks, so the clock is
    real, and a look comes every few milliseconds instead of every 30 s."""
    process.start(PROBE_INTERVAL="0.001")
    eventually(lambda: looks(process) >= LOOKS_A_DAY, timeout=120)
    assert backend.states() == ["ready"]
    assert "connection_doubted" not in process.output()
    process.post("/simulator/misbehave", {"silent": True, "silent_seconds": 0})
    eventually(lambda: "connection_lives_again" in process.output())
    assert process.output().count("connection_doubted") == 1
    eventually(lambda: process.status()["state"] == backend.states()[-1] == "ready")


def test_a_silent_death_is_found_within_four_looks(process, backend):
    interval = 1.0
    process.start(PROBE_INTERVAL=str(interval))
    process.post("/simulator/misbehave", {"silent": True, "silent_seconds": 0.1, "revives": False})
    died_at = time.monotonic()
    eventually(lambda: process.status()["state"] == "degraded")
    assert time.monotonic() - died_at <= 4 * interval, "two minutes, at a look every 30 s"
    refused = process.send(1, "60123456789", "hello")
    assert refused.status_code == 503
    assert "degraded" in refused.json()["detail"]
    eventually(lambda: process.status()["state"] == "need_qr", timeout=60)
    assert backend.states() == ["ready", "degraded", "need_qr"]


def test_what_was_under_way_when_the_connection_died_goes_out_once_it_lives(process, backend):
    process.start(PROBE_INTERVAL="0.5")
    process.post("/simulator/misbehave", {"silent": True, "silent_seconds": 0.1})
    for message_id in (1, 2, 3):
        assert process.send(message_id, "60123456789", "hello").status_code in (202, 503)
    process.post("/simulator/inbound", {"phone": "60123456789", "text": "anyone?"})
    eventually(lambda: backend.states()[-2:] == ["degraded", "ready"])
    eventually(lambda: backend.bodies("/messages/inbox"))
    eventually(lambda: process.status()["queue"] == 0)
    ids = [line["backend_message_id"] for line in process.journal()]
    assert ids == sorted(set(ids))
