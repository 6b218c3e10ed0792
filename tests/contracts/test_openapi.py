"""The OpenAPI document told the truth: whatever fits it, and whatever does not, is answered so.

`CASES=3000 pytest tests/contracts/test_openapi.py` looks longer, with cases drawn anew.
"""

import os
from collections.abc import Iterator
from contextlib import suppress

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
from schemathesis.schemas import APIOperation, BaseSchema
from structlog.testing import capture_logs

from crm.models import Message
from tests.kit.app import Backend
from tests.kit.fixtures import Make

STREAM = "/messages/events/stream"
MAY_BE_503 = {"/readyz", "/gateway/qr"}
"""No worker is at work here, and the gateway knows no code."""
EXAMPLES = 12
LONGER = int(os.environ.get("CASES", "0"))
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def schema(backend: Backend, make_customer: Make, send: Make, receive: Make) -> BaseSchema:
    """The document, of a backend that has something to tell."""
    for number in range(3):
        customer = make_customer(name=f"Customer {number}")
        backend.change(Message, send(customer["id"])["id"], dispatch="failed", error="It failed.")
        receive(phone=customer["phone"], whatsapp_id=f"A{number}")
    return schemathesis.openapi.from_wsgi("/openapi.json", backend.app)


def operations(schema: BaseSchema) -> Iterator[APIOperation]:
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) > 20
    return (operation for operation in found if operation.path != STREAM)


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
def test_every_answer_is_one_that_the_document_promises(
    backend: Backend, schema: BaseSchema, mode: GenerationMode
) -> None:
    for operation in operations(schema):
        try_operation(backend, operation, mode)


def try_operation(backend: Backend, operation: APIOperation, mode: GenerationMode) -> None:
    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=LONGER or EXAMPLES,
        derandomize=not LONGER,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def answers(case: Case) -> None:
        before = what_is_kept(backend)
        with capture_logs():
            response = case.call()
        assert response.status_code < 500 or operation.path in MAY_BE_503, response.text
        case.validate_response(response, checks=CHECKS)
        if 400 <= response.status_code < 500:
            assert isinstance(response.json()["detail"], str)
            assert what_is_kept(backend) == before, "something of a refused request was kept"

    with suppress(Unsatisfiable):  # without arguments there is nothing to get wrong
        answers()


def what_is_kept(backend: Backend) -> dict[str, int]:
    """All but the audit, which keeps refusals too."""
    return {name: count for name, count in backend.counts().items() if name != "audit_entries"}


def test_the_document_names_no_other_machine(backend: Backend) -> None:
    document = backend.client().get("/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    assert "UTC" in document["info"]["description"]
    assert "servers" not in document


def test_every_error_in_the_document_has_a_detail(backend: Backend) -> None:
    document = backend.client().get("/openapi.json").get_json()
    assert document["components"]["schemas"]["Error"]["required"] == ["detail"]
    for path, item in document["paths"].items():
        for method in item.keys() - {"parameters"}:
            assert "default" in item[method]["responses"], (method, path)
            assert item[method]["summary"], (method, path)
