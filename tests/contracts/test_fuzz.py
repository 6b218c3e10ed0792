"""Thousands of requests, good and bad, of an owner and of strangers where sign-in is required.

`make fuzz CASES=5000` sends so many, drawn anew; its last lines say how many there were.
"""

import math
import os
from collections import Counter
from contextlib import nullcontext, suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.schemas import APIOperation
from structlog.testing import capture_logs

from crm.api.limits import limiter
from crm.models import Message, Role
from tests.contracts.test_openapi import MAY_BE_503, STREAM
from tests.kit.accounts import COOKIE, Person, add_agent
from tests.kit.app import Backend
from tests.kit.fixtures import Make

TOKEN = "t" * 40
CASES = int(os.environ.get("CASES", "0"))
LONGER = bool(CASES)
USUAL = 600
"""Cases of one database; twice as many where both are tried."""
DATABASES, CALLERS = 2, ("owner", "nobody")
FEWER = 1.5
"""Many operations have fewer different cases than they are asked for."""
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
SERVICES = (
    "/customers/photo", "/messages/inbox", "/messages/ack", "/messages/map", "/messages/failed",
    "/messages/media", "/webhooks/whatsapp/status", "/webhooks/whatsapp/seen",
)  # fmt: skip
"""What the gateway calls; the owner's cases have its token there."""
OPEN = ("/healthz", "/readyz", "/auth/login", "/auth/setup", "/auth/state")
answered: Counter[int] = Counter()


@pytest.fixture
def closed(
    backend: Backend,
    make_customer: Make,
    send: Make,
    receive: Make,
    monkeypatch: pytest.MonkeyPatch,
) -> Backend:
    """As in production, with something to tell, and without a limit that would end it early."""
    for number in range(3):
        customer = make_customer(name=f"Customer {number}")
        backend.change(Message, send(customer["id"])["id"], dispatch="failed", error="It failed.")
        receive(phone=customer["phone"], whatsapp_id=f"A{number}")
    monkeypatch.setitem(backend.app.config, "AUTH_REQUIRED", True)
    monkeypatch.setitem(backend.app.config, "INTERNAL_TOKENS", (TOKEN,))
    monkeypatch.setattr(limiter, "enabled", False)
    return backend


class Owner:
    """Signed in, and again wherever a case has signed them out or changed their password."""

    def __init__(self, backend: Backend) -> None:
        self._backend, self._made = backend, 0
        self._become_another()

    def proofs(self) -> dict[str, dict[str, str]]:
        """What goes with a call."""
        if not self._person.is_signed_in:
            self._become_another()
        browser = self._person.client.environ_base["HTTP_USER_AGENT"]
        headers = {"X-CSRF-Token": self._person.csrf, "User-Agent": browser}
        return {"cookies": {COOKIE: self._person.cookie}, "headers": headers}

    def _become_another(self) -> None:
        self._made += 1
        login = f"the fuzzing owner {self._made}"
        add_agent(self._backend, login, Role.OWNER)
        self._person = Person(self._backend)
        # Cases come from no address; with another one an owner would have to sign in again.
        del self._person.client.environ_base["REMOTE_ADDR"]
        assert self._person.sign_in(login).status_code == 200


def proofs(operation: APIOperation, owner: Owner | None) -> dict[str, dict[str, str]]:
    """What tells who calls."""
    if owner is None:
        return {}
    if operation.path in SERVICES:
        return {"headers": {"Authorization": f"Bearer {TOKEN}"}}
    return owner.proofs()


SHARE = (CASES / DATABASES if LONGER else USUAL) / len(CALLERS)
"""Cases of one caller on one database: with fewer, the number asked for was not sent."""


def count_per_operation(operations: int) -> int:
    """So many examples of each operation in each mode."""
    return math.ceil(FEWER * SHARE / operations / len(GenerationMode))


@pytest.mark.timeout(3000 if LONGER else 180)
@pytest.mark.parametrize("caller", CALLERS)
def test_nothing_that_is_sent_brings_a_fault(
    closed: Backend, caller: str, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", closed.app)
    found = [result.ok() for result in schema.get_all_operations()]
    operations = [operation for operation in found if operation.path != STREAM]
    owner = Owner(closed) if caller == "owner" else None
    examples = count_per_operation(len(operations))
    before = closed.counts()
    answered.clear()
    for operation in operations:
        for mode in GenerationMode:
            attack(operation, mode, owner, examples)
    kind = closed.app.config["SQLALCHEMY_DATABASE_URI"].partition(":")[0]
    with capsys.disabled() if LONGER else nullcontext():
        print(f"\n{kind}, {caller}: {answered.total()} cases, {dict(sorted(answered.items()))}")
    # Operations without arguments have one case each.
    assert answered.total() >= examples * len(operations)
    assert answered.total() >= SHARE, "fewer cases were sent than were asked for"
    if owner:
        assert answered[401] < answered.total() / 10, "the owner was not let in"
        assert answered[403] < answered.total() / 10, "the owner was not taken for one"
        assert answered[200] + answered[201] + answered[204] > answered.total() / 10
    else:
        after = closed.counts()
        changed = {name for name, count in after.items() if count != before[name]}
        assert changed <= {"audit_entries"}, "a stranger changed something"


def attack(
    operation: APIOperation, mode: GenerationMode, owner: Owner | None, examples: int
) -> None:
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=examples,
        derandomize=not LONGER,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def answers(case: Case) -> None:
        with capture_logs():
            response = case.call(**proofs(operation, owner))
        answered[response.status_code] += 1
        assert response.status_code < 500 or operation.path in MAY_BE_503, response.text
        assert owner or operation.path in OPEN or response.status_code >= 300, response.text
        case.validate_response(response, checks=CHECKS)

    with suppress(Unsatisfiable):  # without arguments there is nothing to get wrong
        answers()
