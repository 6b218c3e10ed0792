"""`flask messages …`: what operators do to messages from a shell."""

from crm.models import Message
from tests.kit.app import Backend
from tests.kit.fixtures import Make


def run(backend: Backend, command: str) -> tuple[int, str]:
    result = backend.app.test_cli_runner().invoke(args=["messages", *command.split()])
    return result.exit_code, result.output


def state_of(backend: Backend, message_id: int) -> tuple[str, int]:
    with backend.session() as session:
        message = session.get_one(Message, message_id)
        return message.dispatch, message.gateway_attempt


def jobs_for(backend: Backend, message_id: int) -> int:
    """Deliveries of it that were asked for."""
    return sum(job.args == (message_id,) for job in backend.jobs)


def test_a_failed_message_is_sent_again(backend: Backend, send_as: Make) -> None:
    failed = send_as(dispatch="failed", error="It failed.")["id"]
    before = jobs_for(backend, failed)
    assert run(backend, f"retry {failed}") == (0, f"Message {failed} is queued.\n")
    assert state_of(backend, failed) == ("queued", 2)
    assert jobs_for(backend, failed) == before + 1
    code, said = run(backend, f"retry {failed}")
    assert (code, said.startswith("Error: Only a failed or unknown")) == (1, True)
    assert state_of(backend, failed) == ("queued", 2)


def test_what_may_have_gone_out_wants_confirm(backend: Backend, send_as: Make) -> None:
    unknown = send_as(dispatch="unknown", maybe_written=True)["id"]
    code, said = run(backend, f"retry {unknown}")
    assert (code, "arrive twice" in said, "--confirm" in said) == (1, True, True)
    assert state_of(backend, unknown) == ("unknown", 1)
    assert run(backend, f"retry {unknown} --confirm") == (0, f"Message {unknown} is queued.\n")
    assert state_of(backend, unknown) == ("queued", 2)


def test_a_message_that_is_none_is_one_sentence(backend: Backend) -> None:
    code, said = run(backend, "retry 999999")
    assert (code, said.count("\n"), said.startswith("Error: ")) == (1, 1, True)
    assert "Traceback" not in said
    assert run(backend, "retry first")[0] == 2
    assert run(backend, "retry")[0] == 2


def test_all_that_failed_are_sent_again_and_nothing_else(backend: Backend, send_as: Make) -> None:
    assert run(backend, "retry-failed") == (0, "0 messages are queued again.\n")
    failed = [send_as(dispatch="failed", error="It failed.")["id"] for _ in range(3)]
    others = [send_as(dispatch=state)["id"] for state in ("unknown", "mapped", "cancelled")]
    before = [state_of(backend, message_id) for message_id in others]
    assert run(backend, "retry-failed") == (0, "3 messages are queued again.\n")
    assert {state_of(backend, message_id) for message_id in failed} == {("queued", 2)}
    assert [state_of(backend, message_id) for message_id in others] == before
