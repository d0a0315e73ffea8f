"""Jobs that an endpoint of their own answers later: each still ends once, whatever is killed, lost or told twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.inference.canonical import input_hash
from lambdas.inference.jobs import messages
from lambdas.inference.jobs.job import Status
from lambdas.inference.jobs.working import SOON_SECONDS, Later
from lambdas.inference.settings import Audit
from tests.unit.inference.async_jobs_world import ANSWER_SECONDS, AsyncWorld, notification, refused
from tests.unit.inference.jobs_world import FUNCTION_SECONDS, NAME, World
from tests.unit.inference.serving_fakes import SIGNATURE, route

History = Callable[[AsyncWorld], list[str]]
HOURS = 3600.0


def answered(world: AsyncWorld) -> list[str]:
    job = world.post_until_accepted().id
    world.until_over()
    return [job]


def saying(*says: Any, always: Any = "answer") -> History:
    def history(world: AsyncWorld) -> list[str]:
        world.sagemaker.says, world.sagemaker.always = list(says), always
        return answered(world)

    history.__name__ = " ".join(map(str, (*says, always)))
    return history


def two_of_them(world: AsyncWorld) -> list[str]:
    jobs = [world.post_until_accepted().id, world.post_until_accepted([[3.0], [4.0]]).id]
    world.until_over()
    return jobs


HISTORIES: list[History] = [
    answered,
    two_of_them,
    saying(always="silent"),
    saying(always="twice"),
    saying(always="at once"),
    saying("lost"),
    saying("failed"),
    saying("expired"),
    saying(refused()),
    saying(always="refused"),
    saying(always="failed"),
    saying(always="lost"),
    saying(always=refused()),
]


def lived(history: History, crash_at: int | None = None, *, after: bool = False) -> tuple[AsyncWorld, list[str]]:
    world = AsyncWorld()
    world.crash_at, world.crash_after = crash_at, after
    jobs = history(world)
    world.check(*jobs)
    assert not world.moved, "no message may be lost to the queue's own patience"
    return world, jobs


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("history", HISTORIES, ids=lambda each: each.__name__)
def test_killed_at_any_call_each_job_still_ends_once(history: History, after: bool) -> None:
    calm, jobs = lived(history)
    ends = [calm.job(job).status for job in jobs]
    for crash_at in range(1, calm.calls + 1):
        world, found = lived(history, crash_at, after=after)
        assert [world.job(job).status for job in found] == ends, f"killed at call {crash_at}"


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_no_answer_is_thrown_away(after: bool) -> None:
    calm, _ = lived(answered)
    for crash_at in range(1, calm.calls + 1):
        world, (job,) = lived(answered, crash_at, after=after)
        assert len(world.sagemaker.asked) == 1, f"killed at call {crash_at}"
        assert world.show(job)[0]["predictions"] == [1]


def killed_after_handing_over(says: str, attempts: int = 3) -> tuple[AsyncWorld, str]:
    """Return a world in which nobody has written down that a job's first attempt was handed over."""
    world = AsyncWorld(attempts)
    world.sagemaker.says, world.killed_at, world.crash_after = [says], "invoke", True
    job = world.post().id
    world.step()
    world.killed_at = ""
    assert not world.job(job).handed_over
    return world, job


def test_what_sagemaker_tells_of_a_killed_worker_s_attempt_is_its_answer() -> None:
    world, job = killed_after_handing_over("answer")
    begun = world.time
    world.until_over()
    world.check(job)
    assert (world.job(job).attempt, world.job(job).model_version) == (1, ""), "it is not known who answered"
    assert world.job(job).ended_at - begun < FUNCTION_SECONDS + 2 * SOON_SECONDS
    assert world.job(job).strewn[0].endswith("answers/0.out")


def test_what_a_killed_worker_s_last_attempt_failed_by_is_told() -> None:
    world, job = killed_after_handing_over("failed", attempts=1)
    world.until_over()
    world.check(job)
    assert "model-failed" in world.reasons(job)[0]


def test_a_place_elsewhere_is_not_looked_at() -> None:
    world, job = killed_after_handing_over("lost")
    world.time += HOURS
    world.files.content["elsewhere/0.out"] = b'{"predictions": [666]}'
    world.worker().take(notification(f"{job}-1", "s3://bucket/elsewhere/0.out"), 60.0)
    world.until_over()
    assert world.show(job)[0]["predictions"] == [2]
    assert world.job(job).attempt == 2


def test_a_job_is_answered_as_soon_as_sagemaker_tells() -> None:
    world = AsyncWorld()
    begun = world.time
    (job,) = answered(world)
    shown, _ = world.show(job)
    assert (shown["status"], shown["predictions"], shown["model_version"]) == ("done", [1], "v1")
    assert world.job(job).ended_at - begun < ANSWER_SECONDS + 5
    assert world.job(job).variant == "jobs"
    assert len(world.sagemaker.asked) == 1
    assert not world.model.asked, "the real-time endpoint is left alone"


def test_an_answer_that_nobody_tells_of_is_found_by_the_jobs_own_message() -> None:
    world = AsyncWorld()
    begun = world.time
    (job,) = saying(always="silent")(world)
    assert world.job(job).status is Status.DONE
    assert ANSWER_SECONDS < world.job(job).ended_at - begun < 70


def test_a_lost_request_is_repeated_when_it_must_have_expired() -> None:
    world = AsyncWorld()
    begun = world.time
    (job,) = saying("lost")(world)
    assert world.job(job).attempt == 2
    assert 6 * HOURS < world.job(job).ended_at - begun < 6.3 * HOURS


def test_all_attempts_find_room_while_the_job_is_kept() -> None:
    world = AsyncWorld(attempts=50, keep_days=1)
    world.chance, world.standing = 0.999, replace(world.standing, ready_at=0.0)
    (job,) = saying(always="lost")(world)
    (_, _, queued, model), *_ = world.sagemaker.asked
    assert (queued, model) == (290, 10)
    assert world.job(job).attempt == 50
    assert "attempt 50, the last" in world.reasons(job)[0]
    assert world.job(job).ended_at < world.job(job).expires - HOURS / 2
    world.check(job)


def test_no_attempt_is_begun_that_would_outlast_the_job() -> None:
    world = AsyncWorld()
    job = world.post().id
    world.time = world.job(job).expires - 6 * HOURS
    world.until_over()
    assert (world.job(job).status, world.sagemaker.asked) == (Status.FAILED, [])
    assert "too soon for an attempt" in world.reasons(job)[0]
    assert "could not be asked while the job was kept" in world.show(job)[0]["problem"]["detail"]
    world.check(job)


def test_a_refusal_is_the_callers_and_names_what_the_container_said() -> None:
    world = AsyncWorld()
    (job,) = saying(always="refused")(world)
    shown, _ = world.show(job)
    assert (shown["problem"]["status"], shown["problem"]["detail"]) == (422, "row 1 has no dew_point")
    assert len(world.sagemaker.asked) == 1
    assert not world.dead.sent


def test_a_refusal_by_a_version_that_is_not_live_any_more_is_none() -> None:
    world = AsyncWorld()
    world.door.route = route(("green", "v2"))
    (job,) = saying("refused")(world)
    assert (world.job(job).status, world.job(job).attempt) == (Status.DONE, 2)


def test_a_refusal_that_stays_is_the_callers_also_while_the_endpoint_cannot_follow() -> None:
    world = AsyncWorld()
    world.standing = world.standing.changing("c-2", "v2", "arn:v2", (), world.time)
    (job,) = saying(always="refused")(world)
    shown, _ = world.show(job)
    assert (shown["problem"]["status"], shown["problem"]["detail"]) == (422, "row 1 has no dew_point")
    assert (len(world.sagemaker.asked), world.job(job).model_version) == (3, "")
    assert not world.dead.sent


def test_a_failure_is_tried_again_and_in_the_end_told_with_its_reason() -> None:
    world = AsyncWorld()
    (job,) = saying(always="expired")(world)
    assert len(world.sagemaker.asked) == 3
    (reason,) = set(world.reasons(job))
    assert reason.startswith("attempt 3, the last: unavailable: the model was not asked: it has expired")


def test_rows_that_the_live_version_does_not_take_start_no_instance() -> None:
    world = AsyncWorld(audit=Audit())
    world.door.signatures.known = SIGNATURE
    job = world.post_until_accepted([["wet", 1.0]]).id
    world.until_over()
    assert world.job(job).status is Status.FAILED
    assert not world.sagemaker.asked
    assert [each["status"] for each in world.door.log.records] == [422]


def test_nobody_is_named_where_the_endpoint_has_changed_meanwhile() -> None:
    world = AsyncWorld()
    job = world.post().id
    world.step()
    there = world.standing.changing("c-2", "v2", "arn:v2", (), world.time).settled(world.time)
    world.standing = there.changing("c-1", "v1", "arn:v1", (), world.time).settled(world.time)
    world.until_over()
    assert (world.job(job).status, world.job(job).model_version) == (Status.DONE, "")


def test_nobody_is_named_while_the_endpoint_is_being_changed() -> None:
    world = AsyncWorld()
    world.standing = world.standing.changing("c-2", "v2", "arn:v2", (), world.time)
    job = world.post().id
    world.step()
    world.standing = world.standing.settled(world.time)
    world.until_over()
    assert (world.job(job).status, world.job(job).model_version) == (Status.DONE, "")


def test_an_endpoint_that_is_only_being_made_costs_no_attempt() -> None:
    world = AsyncWorld()
    world.standing = replace(world.standing, ready_at=0.0, settled_at=0.0)
    job = world.post().id
    for _ in range(9):
        world.step()
    assert (world.job(job).attempt, world.sagemaker.asked) == (0, [])
    assert "is being made" in world.job(job).reason
    world.standing = world.standing.settled(world.time)
    world.until_over()
    assert (world.job(job).status, world.job(job).reason) == (Status.DONE, "")


def test_an_endpoint_that_never_comes_fails_its_jobs() -> None:
    world = AsyncWorld()
    world.standing, world.sagemaker.always = replace(world.standing, ready_at=0.0), refused()
    (job,) = answered(world)
    assert world.job(job).status is Status.FAILED
    assert "cannot be reached" in world.reasons(job)[0]


def test_jobs_that_were_handed_over_are_asked_anew_when_the_endpoint_has_been_taken_away() -> None:
    world = AsyncWorld()
    world.sagemaker.always = "lost"
    job = world.post().id
    world.step()
    assert world.job(job).handed_over
    world.outside = partial(World.outside, world)  # type: ignore[method-assign]
    world.worker().take(world.queue.messages[0].body, 60.0)
    assert "is there no more" in world.job(job).reason
    world.worker().take(world.queue.messages[0].body, 60.0)
    assert (world.job(job).status, world.model.asked) == (Status.DONE, [job])


def test_what_is_told_of_an_older_attempt_changes_nothing() -> None:
    world = AsyncWorld()
    world.sagemaker.says = ["failed", "lost"]
    job = world.post().id
    while world.job(job).attempt < 2 or not world.job(job).handed_over:
        world.step()
    before = world.job(job)
    assert world.worker().take(notification(f"{job}-1", failed=True, reason="late"), 60.0) is None
    assert world.job(job) == before


def test_what_is_told_of_an_older_attempt_begins_no_new_one() -> None:
    world = AsyncWorld()
    job = world.post().id
    for _ in range(2):
        begun = world.store.save(world.job(job).begun(world.time, 90.0))
        world.store.save(begun.put_back("it was busy"))
    assert world.worker().take(notification(f"{job}-1"), 60.0) is None
    assert (world.job(job).attempt, world.sagemaker.asked) == (2, [])


def test_what_is_told_too_early_comes_again_soon() -> None:
    world = AsyncWorld()
    job = world.post().id
    world.store.save(world.job(job).begun(world.time, 90.0))
    later = world.worker().take(notification(f"{job}-1"), 60.0)
    assert isinstance(later, Later)
    assert later.seconds <= 5


def test_looks_become_rarer() -> None:
    world = AsyncWorld(attempts=1)
    (job,) = saying(always="lost")(world)
    assert world.job(job).status is Status.FAILED
    assert "was handed over at" in world.reasons(job)[0]
    assert world.calls < 130


def test_a_prediction_is_written_down_as_any_other() -> None:
    world = AsyncWorld(audit=Audit(keep_input=True))
    world.door.signatures.known = SIGNATURE
    job = world.post([[1.0, 2.0]], subject="s-1").id
    world.until_over()
    (line,) = world.door.log.records
    told = {name: line[name] for name in ("id", "status", "model_version", "model_key", "variant", "subject", "rows")}
    assert told == {
        "id": job,
        "status": 200,
        "model_version": "v1",
        "model_key": "arn:v1",
        "variant": "jobs",
        "subject": "s-1",
        "rows": 1,
    }
    assert json.loads(line["input"]) == [{"dew": 1.0, "wind": 2.0}]
    assert line["input_hash"] == input_hash([[2.0, 1.0]], ("wind", "dew"))
    assert json.loads(line["output"]) == [1]
    assert line["latency_ms"] >= ANSWER_SECONDS * 1000


def test_all_that_attempts_have_left_is_known_to_who_erases() -> None:
    world = AsyncWorld()
    (job,) = saying("failed")(world)
    left = {each.removeprefix("s3://bucket/") for each in world.job(job).strewn}
    assert left >= {key for key in world.files.content if "/jobs/" not in key}


@pytest.mark.parametrize("text", ['{"eventSource": "aws:sagemaker"}', notification("no attempt"), '["job"]'])
def test_a_message_that_names_no_job_is_a_dead_letter(text: str) -> None:
    world = AsyncWorld()
    assert world.worker().take(text, 60.0) is None
    assert world.dead.sent[0][0] == text


@pytest.mark.parametrize("name", ["TestNotification", "SomethingNew"])
def test_what_sagemaker_tells_of_no_job_is_done_with(name: str) -> None:
    world = AsyncWorld()
    text = json.dumps({"eventVersion": "1.0", "eventSource": "aws:sagemaker", "eventName": name})
    assert world.worker().take(text, 60.0) is None
    assert not world.dead.sent


def test_messages_of_sagemaker_name_endpoint_job_and_attempt() -> None:
    found = messages.read(notification("ab12-3", failed=True, reason="so"))
    assert found == messages.Message(NAME, "ab12", 3, "so")


SAID = st.sampled_from(["answer", "silent", "twice", "at once", "lost", "failed", "expired", refused()])


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 3),
    st.lists(SAID, max_size=8),
    st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=4),
    st.lists(st.integers(0, 2), max_size=3),
)
def test_generated_histories_end_well(jobs: int, says: Any, crashes: Any, doubled: Any) -> None:
    world, points = AsyncWorld(), list(crashes)
    world.sagemaker.says = list(says)
    made = [world.post_until_accepted([[float(number)]]).id for number in range(jobs)]
    for number in doubled:
        world.queue.send(world.queue.messages[number % jobs].body)
    while world.queue.messages or world.sagemaker.due:
        if points and world.crash_at is None:
            after, world.crash_after = points.pop(0)
            world.crash_at = world.calls + after
        world.step()
    world.check(*made)
