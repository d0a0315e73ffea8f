"""Jobs are taken in, worked on and shown."""

import json
from typing import Any

import pytest

from lambdas.inference.jobs import backoff, bodies, items, messages
from lambdas.inference.jobs.job import Status
from lambdas.inference.jobs.working import Later
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import PermanentError, RetryableError
from tests.unit.inference.jobs_world import FUNCTION_SECONDS, NAME, ROWS, START, World


@pytest.fixture
def world() -> World:
    return World()


def problem_of(work: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        work()
    return raised.value


def test_a_job_is_answered(world: World) -> None:
    job = world.post()
    shown, headers = world.show(job.id)
    assert (shown["status"], headers) == ("queued", {"Retry-After": "2"})
    world.until_over()
    shown, headers = world.show(job.id)
    assert (shown, headers) == (
        {
            "id": job.id,
            "status": "done",
            "created_at": "2027-01-15T08:00:00Z",
            "ended_at": "2027-01-15T08:00:00Z",
            "predictions": [1],
            "model_version": "1.1.0",
        },
        {},
    )
    assert list(world.announcer.details) == [
        {
            "id": job.id,
            "endpoint": NAME,
            "status": "done",
            "client": "shop",
            "model_version": "1.1.0",
            "location": f"s3://bucket/inference/{NAME}/jobs/{job.id}/result-1.json",
            "ended_at": "2027-01-15T08:00:00Z",
        }
    ]


def test_the_model_is_sent_the_rows(world: World) -> None:
    world.post([[1, "a"], {"x": None}])
    assert list(world.files.content.values()) == [b'{"instances":[[1,"a"],{"x":null}]}']


def test_the_same_request_twice_is_two_jobs_without_a_key(world: World) -> None:
    assert world.post().id != world.post().id


def test_the_same_key_finds_the_same_job(world: World) -> None:
    first = world.post(key="order-7")
    again = world.post(key="order-7")
    assert (first.replayed, again.replayed) == (False, True)
    assert first.id == again.id
    assert len(first.id) == 32
    world.until_over()
    assert world.post(key="order-7").id == first.id
    assert world.model.asked == [first.id]
    assert not world.queue.messages, "nobody needs to be told of a job that has ended"


def test_keys_of_two_clients_are_two(world: World) -> None:
    assert world.post(key="order-7").id != world.post(key="order-7", client="bakery").id


def test_no_clients_name_and_key_are_another_clients(world: World) -> None:
    assert world.post(key="7", client="shop-1").id != world.post(key="17", client="shop-").id


@pytest.mark.parametrize("changed", [{"rows": [[9.0]]}, {"caller": "anna"}, {"subject": "s-1"}])
def test_a_key_for_another_request_is_refused_and_harms_nothing(world: World, changed: Any) -> None:
    first = world.post(key="order-7")
    problem = problem_of(lambda: world.post(key="order-7", **changed))
    assert (problem.slug, problem.status) == ("conflict", 409)
    assert first.id in problem.detail
    world.until_over()
    assert world.show(first.id)[0]["status"] == "done"


def test_of_two_requests_at_once_under_one_key_the_loser_does_not_overwrite_the_rows(world: World) -> None:
    write = world.files.write

    def raced(key: str, content: bytes) -> None:
        world.files.write = write  # type: ignore[method-assign]
        world.post(key="order-7")
        write(key, content)

    world.files.write = raced  # type: ignore[method-assign]
    assert problem_of(lambda: world.post([[9.0]], key="order-7")).slug == "conflict"
    (job,) = (items.read(json.loads(text)) for text in world.store.written.values())
    assert world.files.content[job.input] == bodies.request_body(ROWS)


def test_a_key_is_free_again_when_its_job_has_expired(world: World) -> None:
    world.post(key="order-7")
    world.until_over()
    world.time = START + 7 * 86_400 + 1
    again = world.post([[9.0]], key="order-7")
    assert not again.replayed
    world.until_over()
    assert world.show(again.id)[0]["status"] == "done"


def test_a_message_that_cannot_be_sent_is_sent_again_and_then_told(world: World) -> None:
    world.queue.errors = [RetryableError("throttled")] * 2
    world.post()
    assert world.pauses == [0.2, 0.2]
    world.queue.errors = [RetryableError("throttled")] * 3
    problem = problem_of(lambda: world.post(key="k"))
    assert (problem.slug, problem.headers) == ("unavailable", {"Retry-After": "5"})
    assert world.post(key="k").replayed
    assert len(world.queue.messages) == 2


def test_only_who_asked_sees_a_job(world: World) -> None:
    job = world.post()
    for other in (lambda: world.show(job.id, "bakery"), lambda: world.show("0" * 32)):
        assert problem_of(other).slug == "not-found"


def test_a_job_that_has_expired_is_not_shown_though_the_table_still_has_it(world: World) -> None:
    job = world.post()
    world.until_over()
    world.time = START + 7 * 86_400
    assert problem_of(lambda: world.show(job.id)).slug == "not-found"


def test_the_callers_fault_fails_at_once_with_its_document(world: World) -> None:
    world.model.always = Problem("invalid-input", "row 1 has no dew_point", errors=[{"row": 1, "column": "dew_point"}])
    job = world.post()
    world.until_over()
    shown, _ = world.show(job.id)
    assert shown["status"] == "failed"
    assert shown["problem"]["errors"] == [{"row": 1, "column": "dew_point"}]
    assert len(world.model.asked) == 1
    assert not world.dead.sent
    assert world.announcer.details[0]["status"] == "failed"
    assert world.announcer.details[0]["location"] == ""


@pytest.mark.parametrize("slug", ["busy", "throttled", "timeout", "model-failed", "unavailable", "internal"])
def test_an_endpoint_in_trouble_is_left_alone_for_a_while(world: World, slug: str) -> None:
    world.model.says = [Problem(slug, "trouble")]
    job = world.post()
    later = world.deliver(world.queue.messages[0])
    assert later == Later(11.25, busy=True)
    assert (world.job(job.id).status, world.job(job.id).reason) == (Status.QUEUED, f"attempt 1: {slug}: trouble")
    world.until_over()
    assert world.show(job.id)[0]["status"] == "done"


def test_after_its_last_attempt_a_job_lies_among_the_dead_letters_with_its_reason(world: World) -> None:
    world.model.always = PermanentError("AccessDenied: sagemaker:InvokeEndpoint")
    job = world.post()
    world.until_over()
    assert world.reasons(job.id) == ["attempt 3, the last: AccessDenied: sagemaker:InvokeEndpoint"]
    shown, _ = world.show(job.id)
    assert shown["problem"]["type"] == "urn:tidegate:problem:unavailable"
    assert "AccessDenied" not in str(shown), "what is for operators is not for clients"


def test_a_bucket_that_cannot_be_read_is_no_reason_to_give_up(world: World) -> None:
    world.files.errors = [RetryableError("SlowDown")]
    job = world.post()
    world.until_over()
    assert world.show(job.id)[0]["status"] == "done"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "the message is not"),
        ("[]", "the message is not"),
        ('{"endpoint": "rain-local"}', "the message is not"),
        ('{"endpoint": "rain-local", "job": 1}', "must be text"),
        ('{"endpoint": "snow-local", "job": "a"}', "the message is for snow-local"),
    ],
)
def test_what_names_no_job_lies_among_the_dead_letters(world: World, text: str, reason: str) -> None:
    assert world.worker().take(text, FUNCTION_SECONDS) is None
    ((body, told),) = world.dead.sent
    assert body == text
    assert reason in told


def test_a_message_of_an_erased_job_has_done_its_duty(world: World) -> None:
    assert world.worker().take(messages.Message(NAME, "gone").text(), FUNCTION_SECONDS) is None


def test_a_job_reads_back_as_it_was_written(world: World) -> None:
    world.model.always = Problem("invalid-input", "no")
    job = world.post(subject="s-1").id
    world.until_over()
    found = world.job(job)
    assert items.read(items.item(found)) == found
    assert (found.subject, found.owed) == ("s-1", ())


def test_the_wait_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [backoff.seconds(tries, lambda: 1.0) for tries in (1, 2, 3, 7, 99)] == [15, 30, 60, 900, 900]
    assert backoff.seconds(1, lambda: 0.0) == 7.5


def test_a_job_queued_again_has_all_its_attempts_again(world: World) -> None:
    world.model.always = Problem("busy", "no")
    job = world.post().id
    world.until_over()
    expires = world.job(job).expires
    again = world.store.save(world.job(job).queued_again(world.time))
    assert again.expires == expires, "its rows are kept no longer for it"
    world.model.always = None
    assert (again.status, again.tries, again.attempt, again.problem) == (Status.QUEUED, 0, 3, None)
    assert "attempt 3, the last: busy: no" in again.reason
    world.queue.send(messages.Message(NAME, job).text())
    world.until_over()
    assert world.show(job)[0]["status"] == "done"
