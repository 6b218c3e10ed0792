"""Jobs that wait together become fewer, and lose neither their order nor their rank."""

from crm.jobs import MOST_TOGETHER, Job, check_accepted, deliver_message, joined


def carried(jobs: list[Job]) -> list[tuple[int, ...]]:
    return [job.args for job in jobs]


def test_messages_of_one_priority_go_together_in_their_order() -> None:
    jobs = list(joined([deliver_message(number) for number in (3, 1, 2)]))
    assert carried(jobs) == [(3, 1, 2)]
    assert jobs[0].name == "messages.deliver"


def test_a_full_job_goes_before_the_next_one_begins() -> None:
    jobs = list(joined([deliver_message(number) for number in range(2 * MOST_TOGETHER + 1)]))
    assert [len(job.args) for job in jobs] == [MOST_TOGETHER, MOST_TOGETHER, 1]
    assert [number for job in jobs for number in job.args] == list(range(2 * MOST_TOGETHER + 1))


def test_bulk_never_goes_with_replies() -> None:
    waiting = [deliver_message(number, priority=number % 2) for number in range(6)]
    jobs = list(joined(waiting))
    assert {job.priority: job.args for job in jobs} == {0: (0, 2, 4), 3: (1, 3, 5)}


def test_what_is_to_go_alone_and_other_jobs_stay_single() -> None:
    single = [deliver_message(1, alone=True), check_accepted(2), check_accepted(3)]
    jobs = list(joined([deliver_message(4), *single, deliver_message(5)]))
    assert jobs[:3] == single
    assert carried(jobs[3:]) == [(4, 5)]


def test_a_job_that_waited_alone_is_sent_as_it_is() -> None:
    assert list(joined([deliver_message(7)])) == [deliver_message(7)]
    assert list(joined([])) == []
