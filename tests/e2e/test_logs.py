"""No log of any process says who a customer is or what was written, however much is logged."""

import httpx
import pytest

from tests.conftest import StackFactory
from tests.kit.event_reader import EventReader
from tests.kit.stack import Stack

pytestmark = pytest.mark.processes
PHONE, OTHER_PHONE, LID = "60123456789", "60177665544", "98765432109876"
NAMES = ["Zebedee Quux", "Xanthippe"]
TEXTS = ["a secret of the customer", "a secret of the agent", "a secret remark", "secret label"]
PHOTO = "https://secret.example/face.jpg"
TOKEN = "internal-token-of-the-tests-0123456789"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def stack(make_stack: StackFactory) -> Stack:
    settings = {
        "LOG_LEVEL": "DEBUG",
        "SIMULATOR_PEOPLE": "false",
        "INTERNAL_TOKEN": TOKEN,
        "RETENTION_DAYS": "1",
    }
    stack = make_stack(settings=settings)
    stack.start()
    return stack


def tell(web: httpx.Client, path: str, status: int = 200, **body: object) -> None:
    answer = web.post(path, json=body, headers=BEARER)
    assert answer.status_code == status, answer.text


def use_everything(web: httpx.Client) -> None:
    """Every kind of call that carries a phone, a name or a text; good ones and bad ones."""
    inbound = {"phone": PHONE, "content": TEXTS[0], "name": NAMES[0], "lid": LID}
    tell(web, "/messages/inbox", 201, **inbound, whatsapp_id="in-1")
    tell(web, "/messages/inbox", 201, **inbound, timestamp="2020-01-01T00:00:00")
    tell(web, "/messages/inbox", 422, **inbound | {"content": "\0"})
    tell(web, "/customers/photo", phone=PHONE, photo_url=PHOTO)
    tell(web, "/customers/photo", 404, phone=OTHER_PHONE, photo_url=PHOTO)
    tell(web, "/customers/", 201, name=NAMES[1], phone=OTHER_PHONE)
    tell(web, "/customers/", 409, name=NAMES[1], phone=f"+{OTHER_PHONE}")
    tell(web, "/messages/send", 201, customer_id=1, content=TEXTS[1])
    tell(web, "/messages/send", 422, customer_id=1, content=[TEXTS[1]])
    web.patch("/customers/2", json={"remark": TEXTS[2], "status": TEXTS[3]}).raise_for_status()
    for path in (f"/customers/{PHONE}", f"/customers/summary?search={PHONE}", f"/nowhere/{PHONE}",
                 f"/customers/?search={NAMES[0]}", f"/messages/{OTHER_PHONE}"):  # fmt: skip
        assert web.get(path).status_code in {200, 404}
    file = web.get("/customers/export.csv").content
    for body in (file, file.replace(b"Zebedee", b'"'), b"phone,name\n" + PHONE.encode()):
        web.post("/customers/import", content=body, headers={"Content-Type": "text/csv"})
    web.post("/messages/send", content=f'{{"content": "{TEXTS[1]}'.encode())


def test_no_log_has_a_phone_a_name_a_text_or_a_token(stack: Stack) -> None:
    with (
        httpx.Client(base_url=stack.url("web"), timeout=30, trust_env=False) as web,
        EventReader(stack.url("web", "/messages/events/stream")) as stream,
    ):
        use_everything(web)
        stream.wait_for("message_seen", timeout=40)
        assert web.delete("/customers/2").status_code == 204
    logs = {name: program.output() for name, program in stack.programs.items()}
    assert all(len(log) > 100 for log in logs.values()), {k: len(log) for k, log in logs.items()}
    assert "path=/customers/… " in logs["web"]
    for name, log in logs.items():
        for secret in (PHONE, OTHER_PHONE, LID, *NAMES, *TEXTS, PHOTO, TOKEN):
            found = [line for line in log.splitlines() if secret.casefold() in line.casefold()]
            assert found == [], name
