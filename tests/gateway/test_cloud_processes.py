"""The real gateway with the driver `cloud`: killed at any moment, everything is told once."""

import subprocess
import sys
from collections import Counter

import httpx
import pytest

from tests.gateway.conftest import PHONE
from tests.gateway.process import ROOT
from tests.gateway.test_cloud_reading import change, message, update
from tests.kit.graph_account import make_wamid
from tests.kit.graph_webhooks import sign
from tests.kit.stand_in import StandIn
from tests.kit.waiting import eventually

pytestmark = pytest.mark.processes
CUSTOMERS = [str(60_100_000_000 + number) for number in range(20)]
RECEIPTS = ("/messages/ack", "/webhooks/whatsapp/seen")


@pytest.fixture
def cloud_process(process, graph):
    """The gateway, told of the pretend Graph server, which knows its webhook."""
    process.environment |= graph.environment
    graph.courier.webhook = f"{process.url}/webhook"
    return process


def receipts_of(backend) -> Counter:
    """(whatsapp_id, ack) of every receipt that was told."""
    return Counter(
        (body.get("message_id") or body["whatsapp_id"], body.get("ack", 3))
        for path in RECEIPTS
        for body in backend.bodies(path)
    )


def prove_foreign(graph, wamids: list[str]) -> None:
    """Receipts of messages that this gateway never sent."""
    for wamid in wamids:
        entry = {"wamid": wamid, "to": PHONE, "tracker": None}
        graph.prove(entry, "delivered")
        graph.prove(entry, "read")


def test_a_thousand_updates_shuffled_doubled_and_five_kills_are_each_told_once(
    cloud_process, graph, backend
):
    # Held back until the last kill: a callback may be delivered twice, it is stored once.
    backend.answer = lambda path, body: 503
    graph.misbehave(webhooks_held=True, doubled=True, shuffled=True, delivered_after=0.0)
    graph.misbehave(read_after=0.0)
    cloud_process.start()
    for number in range(1, 101):
        assert cloud_process.send(number, CUSTOMERS[number % 20], "hello").status_code == 202
    sent = eventually(lambda: len(e := graph.account.entries()) == 100 and e, timeout=60)
    written = [
        graph.customer_writes(CUSTOMERS[number % 20], f"text {number}") for number in range(500)
    ]
    foreign = [make_wamid(PHONE, f"foreign{number}") for number in range(100)]
    prove_foreign(graph, foreign)
    assert graph.courier.waiting() == 1000

    graph.misbehave(webhooks_held=False)
    for kill in range(5):
        # Two thousand to bring, counting each twice.
        target = 300 * (kill + 1)
        eventually(lambda target=target: graph.courier.brought >= target, timeout=60, interval=0.01)
        cloud_process.kill()
        cloud_process.start()
    eventually(lambda: graph.courier.waiting() == 0, timeout=60)
    eventually(lambda: cloud_process.status()["updates"]["pending"] == 0, timeout=60)
    assert cloud_process.status()["updates"]["unreadable"] == 0

    backend.answer = lambda path, body: 200
    eventually(lambda: cloud_process.status()["callbacks"]["pending"] == 0, timeout=100)
    assert Counter(body["whatsapp_id"] for body in backend.bodies("/messages/inbox")) == Counter(
        written
    )
    proved = [*foreign, *(entry["wamid"] for entry in sent)]
    assert receipts_of(backend) == Counter((wamid, ack) for wamid in proved for ack in (2, 3))
    assert sorted(body["backend_id"] for body in backend.bodies("/messages/map")) == list(
        range(1, 101)
    )
    assert len(graph.account.entries()) == 100


def test_a_crash_between_graph_s_answer_and_our_record_is_unknown_and_mapped_by_a_status(
    cloud_process, graph, backend
):
    graph.misbehave(webhooks_held=True, stall=30.0)
    cloud_process.start()
    assert cloud_process.send(1, PHONE, "hello").status_code == 202
    (entry,) = eventually(lambda: graph.account.entries())
    cloud_process.kill()
    graph.misbehave(stall=0.0)
    cloud_process.start()
    state = httpx.get(f"{cloud_process.url}/messages/1").json()
    assert (state["state"], state["whatsapp_id"]) == ("unknown", None)
    # The backend asks again, as it does while it has no answer; the next message goes out.
    assert cloud_process.send(1, PHONE, "hello").status_code == 202
    assert cloud_process.send(2, PHONE, "later").status_code == 202
    eventually(lambda: len(graph.account.entries()) == 2)
    assert [entry["text"] for entry in graph.account.entries()] == ["hello", "later"]

    graph.misbehave(webhooks_held=False)
    eventually(lambda: len(receipts_of(backend)) == 4)
    mapped = {body["backend_id"]: body["whatsapp_id"] for body in backend.bodies("/messages/map")}
    assert mapped[1] == entry["wamid"]
    assert httpx.get(f"{cloud_process.url}/messages/1").json()["state"] == "sent"
    assert len(graph.account.entries()) == 2


def test_a_forged_update_is_refused_and_nothing_is_stored(cloud_process, backend):
    cloud_process.start()
    raw = update(change(messages=[message()])).encode()
    headers = {"X-Hub-Signature-256": sign(raw, "guessed")}
    answer = httpx.post(f"{cloud_process.url}/webhook", content=raw, headers=headers)
    assert answer.status_code == 403
    assert cloud_process.status()["updates"] == {"pending": 0, "unreadable": 0}
    assert cloud_process.status()["last_event_at"] is None
    assert backend.calls == []


def test_a_template_goes_out_and_a_lost_answer_is_never_repeated(cloud_process, graph, backend):
    graph.misbehave(webhooks_held=True, lost_answers=1)
    cloud_process.start()
    order = {
        "to": PHONE,
        "message": "",
        "backend_message_id": 1,
        "template": {"name": "order_sent", "language": "en_US", "params": ["Ann"]},
    }
    assert cloud_process.post("/send", order).status_code == 202
    (entry,) = eventually(lambda: graph.account.entries())
    assert entry["template"]["name"] == "order_sent"
    ask = f"{cloud_process.url}/messages/1"
    eventually(lambda: httpx.get(ask).json()["state"] == "unknown")
    assert len(graph.account.entries()) == 1


def test_templates_are_listed_over_http(cloud_process, graph):
    body = {"type": "BODY", "text": "Hi {{1}}"}
    graph.account.templates = [
        {"name": "a", "language": "de", "category": "MARKETING", "status": "APPROVED"}
        | {"components": [body]}
    ]
    cloud_process.start()
    (found,) = httpx.get(f"{cloud_process.url}/templates").json()["templates"]
    assert found == {
        "name": "a",
        "language": "de",
        "category": "marketing",
        "body": "Hi {{1}}",
        "params": 1,
    }
    graph.go_away()
    assert httpx.get(f"{cloud_process.url}/templates").status_code == 200, "still remembered"


@pytest.mark.parametrize(
    "name",
    ["WHATSAPP_TOKEN", "WHATSAPP_PHONE_ID", "WHATSAPP_APP_SECRET", "WHATSAPP_VERIFY_TOKEN"],
)
def test_a_missing_setting_ends_it_with_one_sentence(cloud_process, name):
    started = cloud_process.launch(**{name: ""})
    assert started.wait(30) != 0
    lines = [line for line in cloud_process.output().splitlines() if line]
    assert len(lines) == 1
    assert lines[0].startswith(f"Cannot start: {name} is missing")


def test_make_run_says_what_is_missing_before_it_starts_anything(tmp_path):
    stand_in = StandIn(tmp_path, GATEWAY_DRIVER="cloud")
    stand_in.write_procfile("web", gateway="true")
    assert stand_in.refuses().startswith("Cannot start: WHATSAPP_TOKEN is missing")


def test_a_wrong_token_is_said_on_the_console_and_in_the_status(cloud_process):
    cloud_process.launch(WHATSAPP_TOKEN="wrong")
    status = eventually(
        lambda: (s := cloud_process.status())["state"] == "logged_out" and s, timeout=60
    )
    assert "set WHATSAPP_TOKEN" in status["advice"]
    (said,) = (
        line for line in cloud_process.output().splitlines() if "whatsapp_refuses_us" in line
    )
    assert "set WHATSAPP_TOKEN" in said
    assert cloud_process.send(1, PHONE, "hello").status_code == 503


def test_no_line_of_the_log_holds_a_text_a_phone_or_a_secret(cloud_process, graph, backend):
    cloud_process.start(LOG_LEVEL="DEBUG")
    graph.customer_writes(PHONE, "secret words")
    cloud_process.send(1, PHONE, "secret words")
    eventually(lambda: backend.bodies("/webhooks/whatsapp/seen"))
    eventually(lambda: backend.bodies("/messages/inbox"))
    output = cloud_process.output()
    assert "send_done" in output
    for secret in (PHONE, "secret words", graph.account.token, "app-secret"):
        assert secret not in output


def test_the_simulator_does_not_load_what_the_cloud_driver_needs(settings):
    program = (
        "import sys\n"
        "from gateway.app import create_app\n"
        "app = create_app()\n"
        "app.extensions['gateway'].stop()\n"
        "print(app.extensions['gateway'].driver.name, 'pywa' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert answer.stdout.split() == ["simulator", "False"], answer.stderr
