"""Nothing of the backend hangs loose: rules, documents, jobs, events and schemas agree."""

import dataclasses
import inspect
import re
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from marshmallow import Schema

import celeryconfig
from config.settings import PROJECT_ROOT, load_settings
from crm import errors, events, jobs, wire
from crm.api.access import Access, access_of
from crm.clock import now
from crm.factory import create_app
from crm.jobs import Job
from crm.models import Customer, Direction, Message
from crm.queue import celery
from crm.schemas.customers import CustomerSchema, CustomerSummarySchema
from crm.schemas.messages import MessageSchema
from crm.services.settlement import MAX_RETRIES, retry_delay
from workers import audit, customers, gateway, health, messages
from workers import events as event_tasks

SETTINGS = (
    "APP_ENV HOST PROXY_HOPS VAR_DIR GATEWAY_DATABASE_URL PORT DATABASE_URL REDIS_URL GATEWAY_URL "
    "BACKEND_URL INTERNAL_TOKEN SECRET_KEY CORS_ORIGINS AUTH_REQUIRED GATEWAY_DRIVER "
    "WEB_CONCURRENCY WEB_THREADS WEB_WORKER_CLASS SEND_RETRY_BASE RATE_LIMIT STREAMS_PER_AGENT "
    "RETENTION_DAYS AUDIT_DAYS PAGES_DIR "
    "WHATSAPP_TOKEN WHATSAPP_PHONE_ID WHATSAPP_APP_SECRET WHATSAPP_VERIFY_TOKEN "
    "WHATSAPP_BUSINESS_ID GRAPH_URL"
).split()
TASK_MODULES = (audit, customers, event_tasks, gateway, health, messages)
PAGES = {"send_swagger_asset", "send_redoc_asset"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """An app that is never asked anything, so it opens nothing."""
    database = tmp_path_factory.mktemp("wiring") / "unused.sqlite3"
    settings = dataclasses.replace(load_settings(), database_url=f"sqlite:///{database}")
    return create_app(settings)


def test_every_route_says_who_may_call_it(app: Flask) -> None:
    with app.app_context():
        rules = {rule.endpoint: access_of(rule.endpoint) for rule in app.url_map.iter_rules()}
    assert [endpoint for endpoint, rule in rules.items() if rule is None] == []
    strangers = {endpoint for endpoint, rule in rules.items() if rule == Access.PUBLIC}
    documents = {f"api-docs.openapi_{name}" for name in ("json", "swagger_ui", "redoc")}
    assert strangers == PAGES | documents | {
        "system.healthz", "system.readyz", "auth.login", "auth.show_state", "auth.show_setup",
        "auth.set_up_owner",
    }  # fmt: skip


def test_every_route_is_in_the_openapi_document(app: Flask) -> None:
    documented = app.test_client().get("/openapi.json").get_json()["paths"]
    for rule in app.url_map.iter_rules():
        if rule.endpoint in PAGES or rule.endpoint.startswith("api-docs."):
            continue
        path = re.sub(r"<(?:id:)?(\w+)>", r"{\1}", rule.rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            assert method.lower() in documented[path], rule


def every_job() -> list[Job]:
    """One of each, its ids counted up from 1."""
    made = []
    for job in jobs.ALL:
        names = [name for name in inspect.signature(job).parameters if name.endswith("_id")]
        made.append(job(*range(1, len(names) + 1)))
    return made


def test_every_job_has_a_task_of_its_name_and_the_same_arguments() -> None:
    for sent in every_job():
        task = celery.tasks[sent.name]
        inspect.signature(task.run).bind(*sent.args)
        with pytest.raises(TypeError):
            inspect.signature(task.run).bind(*sent.args[1:])
        assert task.__module__ in {module.__name__ for module in TASK_MODULES}


def test_every_entry_of_the_schedule_is_a_task_and_expires() -> None:
    for name, entry in celeryconfig.beat_schedule.items():
        assert entry["task"] in celery.tasks, name
        assert entry["options"]["expires"] <= 60, name


def test_every_task_is_sent_by_a_job_or_by_the_schedule() -> None:
    ours = {name for name in celery.tasks if not name.startswith("celery.")}
    scheduled = {entry["task"] for entry in celeryconfig.beat_schedule.values()}
    assert ours == scheduled | {job.name for job in every_job()}


def test_every_event_is_in_the_catalogue_under_a_type_of_its_own() -> None:
    classes = [kind for kind in vars(events).values() if isinstance(kind, type)]
    written = [kind for kind in classes if events.DomainEvent in kind.__bases__]
    assert written == list(events.CATALOGUE)
    types = [event.type for event in events.CATALOGUE]
    assert len(types) == len(set(types))
    assert all(event.__doc__ for event in events.CATALOGUE)


def test_what_only_passes_by_is_never_in_the_log() -> None:
    classes = [kind for kind in vars(events).values() if isinstance(kind, type)]
    written = [kind for kind in classes if events.Ephemeral in kind.__bases__]
    assert written == list(events.EPHEMERAL)
    assert not {kind.type for kind in events.EPHEMERAL} & {kind.type for kind in events.CATALOGUE}


def document(path: str) -> str:
    """A document that belongs to the product."""
    return (PROJECT_ROOT / path).read_text()


def test_every_event_is_documented() -> None:
    text = document("docs/events.md")
    types = [event.type for event in (*events.CATALOGUE, *events.EPHEMERAL)]
    assert [name for name in (*types, "reset") if f"`{name}`" not in text] == []


def test_every_setting_is_documented() -> None:
    text = document("README.md")
    assert [name for name in SETTINGS if f"`{name}`" not in text] == []


CUSTOMER = Customer.new(name="x", phone="60123456789", phone_key="60123456789")
MESSAGE = Message(
    direction=Direction.INBOUND, content="x", timestamp=now(), ack=2, customer_id=1, attempts=0
)


@pytest.mark.parametrize(
    ("written", "schema"),
    [
        (wire.customer_summary(CUSTOMER), CustomerSummarySchema),
        (wire.customer(CUSTOMER), CustomerSchema),
        (wire.message(MESSAGE), MessageSchema),
    ],
)
def test_what_is_written_is_what_the_schema_says(
    written: dict[str, object], schema: type[Schema]
) -> None:
    assert list(written) == list(schema().fields)


def test_a_messages_state_is_a_part_of_the_message() -> None:
    assert wire.message_state(MESSAGE).items() <= wire.message(MESSAGE).items()


def test_every_error_is_drawn_in_the_tree_under_its_parent() -> None:
    drawn = (errors.__doc__ or "").splitlines()
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    family = [kind for kind in classes if issubclass(kind, errors.CrmError)]
    assert len(family) > 10
    for kind in family:
        (line,) = [line for line in drawn if kind.__name__ in line.split()]
        if kind.status != errors.CrmError.status and "status" in vars(kind):
            assert str(kind.status) in line
        assert (kind.__base__ is errors.CrmError) <= ("│   " not in line)


def test_the_longest_backoff_is_below_the_visibility_timeout() -> None:
    base = load_settings().send_retry_base
    longest = max(retry_delay(MAX_RETRIES, base) for _ in range(1000))
    assert 0 < longest < celeryconfig.VISIBILITY_TIMEOUT


def test_the_seed_in_the_tests_is_the_customers_own() -> None:
    seed = Path(__file__).parent.parent / "contracts/seed.txt"
    assert sha256(seed.read_bytes()).hexdigest().startswith("f68b55e4e8c2b0f4")
