"""Batches: what begins, what waits, what is resumed, and what ends them."""

import json
from dataclasses import replace

import pytest

from lambdas.contract import BATCH_COMMAND_DETAIL_TYPE
from lambdas.inference.batch.controller import Controller
from lambdas.inference.batch.decision import Create
from lambdas.inference.batch.doing import do
from lambdas.inference.batch.events import read_event
from lambdas.inference.batch.said import JobSeen, Look, NotDone, Observed, StopWanted, Wanted
from lambdas.rollout.errors import PermanentError, RetryableError, TimedOutError
from tests.unit.inference.batch_world import HOUR, MINUTE, PLAN, SECOND, START, World
from tests.unit.trust import signed


@pytest.fixture
def world():
    return World()


def test_a_run_answers_every_object_once_and_says_where_the_answers_are(world):
    world.objects.content["rows/empty.csv"] = b""
    world.deliver(world.start())
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert (run["outcome"], run["objects"], run["left"], run["attempt"]) == ("done", 5, 0, 1)
    manifest = world.manifest(run["id"])
    name = f"batch-rain-local-{run['id']}"
    assert manifest["model"] == run["model"] == {"name": name, "version": "1.0.0", "key": "arn:package/1"}
    answered = {each["input"]: each["output"] for each in manifest["objects"]}
    assert answered.pop("rows/empty.csv") is None
    assert len(answered) == 5
    sizes = {each["output"]: each["output_bytes"] for each in manifest["objects"]}
    assert sizes == {output: len(world.objects.content.get(output, b"")) for output in sizes}
    assert answered["rows/part-0.csv"] == f"batch/rain-local/run={run['id']}/part=0/part-0.csv.out"
    assert [each["happened"] for each in world.events] == ["begun", "done"]
    assert world.events[-1]["manifest"] == run["manifest"]


def test_what_comes_once_the_input_is_written_down_is_no_part_of_the_run_however_often_that_is_tried(world):
    write_once = world.objects.write_once

    def heard_late(*given):
        content = write_once(*given)
        if "rows/late.csv" not in world.objects.content:
            world.objects.content["rows/late.csv"] = b"row"
            raise RetryableError("no answer in time")
        return content

    world.objects.write_once = heard_late
    world.deliver(world.start())
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert (run["outcome"], run["objects"]) == ("done", len(world.transforms.answered)) == ("done", 5)


def test_a_killed_job_is_followed_by_one_for_what_is_left_by_the_same_model(world):
    world.transforms.dies_after = [2]
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    world.models.live_now = SECOND
    world.until_over()
    world.check_over()
    first, second = world.transforms.jobs.values()
    assert second.paths == first.paths[2:]
    assert second.model == first.model == "s3://1.0.0"
    resumed = next(each for each in world.events if each["happened"] == "resumed")
    assert "AlgorithmError: killed" in resumed["reason"]
    assert world.outcomes == ["done"]


def test_what_was_seen_of_an_earlier_job_begins_no_other(world):
    world.transforms.dies_after = [2]
    world.deliver(world.start())
    world.pass_time(4 * MINUTE)
    run = world.state.run
    assert run.attempt == 2
    world.deliver(Observed(run.id, 1, run.left, "", JobSeen("Failed", "killed")))
    assert world.state.run.attempt == 2
    world.until_over()
    world.check_over()


def test_a_runs_own_model_is_there_for_every_job_and_goes_with_the_run(world):
    world.transforms.dies_after = [2, 1]
    world.deliver(world.start())
    own = world.plan.model(world.state.run.id)
    assert set(world.models.made) == {own}
    # Whoever removed it: two promotions, or a person.
    world.models.made.clear()
    world.models.live_now = SECOND
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"]
    assert {job.model for job in world.transforms.jobs.values()} == {"s3://1.0.0"}


def test_a_row_that_is_refused_fails_the_run_by_name_and_keeps_the_rest(world):
    world.transforms.bad = {"part-3.csv"}
    world.deliver(world.start())
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert run["outcome"] == "failed"
    assert "1 of 5 objects are not answered" in run["text"]
    assert "part-3.csv: 400" in run["text"]
    assert any("part-3.csv" in fault for fault in world.faults)
    assert len(world.transforms.answered) == 4
    assert len(world.transforms.jobs) == 3, "two in a row that answer nothing are enough"


def test_jobs_are_bounded(world):
    world.transforms.dies_after = [1, 1, 1, 1, 1, 1]
    world.deliver(world.start())
    world.until_over()
    assert len(world.transforms.jobs) == PLAN.batch.attempts
    assert world.outcomes == ["failed"]


@pytest.mark.parametrize(("change", "told"), [(b"another", "has another content"), (None, "is gone")])
def test_input_that_changes_meanwhile_fails_the_run_by_name(world, change, told):
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    if change is None:
        del world.objects.content["rows/part-4.csv"]
    else:
        world.objects.content["rows/part-4.csv"] = change
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert run["outcome"] == "failed"
    assert f"s3://artefacts/rows/part-4.csv {told}" in run["text"]


def test_what_comes_later_is_not_of_the_run(world):
    world.deliver(world.start())
    world.objects.content["rows/part-9.csv"] = b"later"
    world.until_over()
    assert world.outcomes == ["done"]
    assert "part-9.csv" not in world.transforms.answered


def test_one_run_at_a_time_and_one_scheduled_run_waits(world):
    wishes = [world.due(), world.start(), world.due(), world.due()]
    for wish in wishes:
        world.time += 1
        world.deliver(wish)
    assert [world.said_of(wish).accepted for wish in wishes] == [True, True, True, False]
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"] * 3


def test_a_stop_keeps_what_is_answered_and_the_next_run_begins(world):
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    waiting, stop = world.start(), world.stop()
    world.deliver(waiting)
    world.deliver(stop)
    world.deliver(stop)
    assert world.said_of(stop).accepted
    world.until_over()
    world.check_over()
    assert world.outcomes == ["stopped", "done"]
    late = world.stop()
    world.deliver(late)
    assert not world.said_of(late).accepted


def test_a_stop_overtakes_no_job_that_somebody_is_about_to_create(world):
    world.deliver(world.start())
    (job,) = world.transforms.jobs
    run = world.state.run
    world.transforms.jobs.clear()
    world.deliver(world.stop())
    world.time += 30
    manifest = f"s3://artefacts/batch/rain-local/run={run.id}/jobs/1.manifest"
    world.transforms.create(job, run, manifest, PLAN)
    world.until_over()
    world.check_over()
    assert world.outcomes == ["stopped"]
    assert world.transforms.jobs[job].status == "Stopped"


def test_a_job_that_somebody_else_stopped_is_followed_by_another(world):
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    world.transforms.stop(next(iter(world.transforms.jobs)))
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"]
    assert len(world.transforms.jobs) == 2


def test_a_job_that_cannot_be_created_ends_the_run_or_is_tried_again(world):
    world.transforms.refusals = [RetryableError("ResourceLimitExceeded")]
    world.deliver(world.start())
    assert "ResourceLimitExceeded" in next(iter(world.store.runs.values()))["text"]
    world.until_over()
    world.transforms.refusals = [PermanentError("Could not find model")]
    world.time += 1
    world.deliver(world.start())
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done", "failed"]


def test_a_model_whose_artefact_was_changed_is_not_made_and_its_run_fails(world):
    world.trust.objects["s3://1.0.0"] = b"other weights"
    world.deliver(world.start())
    assert world.models.made == {}
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert run["outcome"] == "failed"
    assert "no model is made of 1.0.0: its artefact s3://1.0.0 has the sha256" in run["text"]
    assert "register the model under a new version" in run["text"]
    assert any(run["text"] in fault for fault in world.faults)
    assert world.transforms.jobs == {}
    assert not [key for key in world.objects.content if key.endswith(".manifest")]


def test_an_artefact_that_is_changed_between_two_jobs_answers_no_more(world):
    world.transforms.dies_after = [2]
    world.deliver(world.start())
    world.pass_time(MINUTE)
    world.trust.objects["s3://1.0.0"] = b"other weights"
    world.until_over()
    world.check_over()
    (run,) = world.store.runs.values()
    assert (run["outcome"], run["left"], len(world.transforms.jobs)) == ("failed", 3, 1)
    assert "but " + signed("s3://1.0.0") in run["text"]


def test_an_artefact_that_is_gone_fails_the_run_by_name(world):
    world.trust.objects["s3://1.0.0"] = None
    world.deliver(world.start())
    world.until_over()
    assert "its artefact s3://1.0.0 is not there" in next(iter(world.store.runs.values()))["text"]


@pytest.mark.parametrize("error", [RetryableError("S3 is busy"), TimedOutError("no answer")])
def test_an_artefact_that_cannot_be_read_is_read_again_later(world, error):
    world.trust.unread = [error, error]
    world.deliver(world.start())
    assert world.models.made == {}
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"]
    assert not world.faults


def test_nobody_asks_for_the_artefact_of_an_unsigned_version(world):
    world.models.live_now = replace(world.models.live_now, sha256="")
    world.deliver(world.start())
    world.until_over()
    assert (world.outcomes, world.trust.asked) == (["done"], [])


def test_nobody_asks_for_the_artefact_where_nothing_is_left_to_answer(world):
    """Of two who were to create the same job, one comes when that job has answered everything."""
    world.deliver(world.start())
    late = Create(world.state.run)
    world.time += 6 * MINUTE
    world.transforms.settle()
    world.trust.objects["s3://1.0.0"], world.trust.asked = b"other weights", []
    assert do(world.ports, PLAN, late) == Observed(late.run.id, attempt=1, left=0)
    assert world.trust.asked == []
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"]


def test_a_run_does_not_last_for_ever(world):
    world.transforms.refusals = [RetryableError("ResourceLimitExceeded") for _ in range(1000)]
    world.deliver(world.start())
    world.until_over()
    (run,) = world.store.runs.values()
    assert run["outcome"] == "failed"
    assert "within 6 hours" in run["text"]
    assert world.time < START + 7 * HOUR


def test_nothing_to_answer_is_a_failure_by_name(world):
    world.deliver(world.start(input="s3://artefacts/nothing/"))
    world.until_over()
    assert "no rows below s3://artefacts/nothing/" in next(iter(world.store.runs.values()))["text"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"input": "s3://artefacts/rows"}, "must be a folder"),
        ({"input": "rows/"}, "must be a folder"),
        ({"input": "s3://artefacts/batch/"}, "holds what runs put out"),
        ({"input": "s3://artefacts/batch/rain-local/run=1/"}, "holds what runs put out"),
        ({"content_type": "application/json"}, "has no rows by line"),
    ],
)
def test_what_cannot_be_run_is_refused_by_name(world, changes, told):
    wish = world.start(**changes)
    world.deliver(wish)
    assert told in world.said_of(wish).text
    assert not world.store.runs


def _command(**detail):
    event = {"source": "tidegate.operator", "detail-type": BATCH_COMMAND_DETAIL_TYPE, "id": "e1"}
    return {**event, "time": "2027-01-15T08:00:00Z", "detail": {"endpoint": "rain-local", **detail}}


def test_events_say_what_is_wanted():
    told = {"batch": {"id": "e1", "time": "2027-01-15T08:00:00Z"}}
    scheduled = read_event(told, PLAN, 0.0)
    assert isinstance(scheduled, Wanted)
    assert (scheduled.wish.id, scheduled.wish.input, scheduled.wish.at) == ("e1", "s3://artefacts/rows/", START)
    unnamed = read_event({"batch": {}}, PLAN, START + 20)
    assert unnamed == read_event({"batch": {}}, PLAN, START + 30) or unnamed.wish.id == "schedule-2027-01-15T08:00Z"
    started = read_event(_command(command="start", id="c1", by="anna", input="s3://b/c/"), PLAN, 0.0)
    assert (started.wish.id, started.wish.input, started.wish.by) == ("c1", "s3://b/c/", "anna")
    assert read_event(_command(command="stop"), PLAN, 0.0) == StopWanted("e1", "an operator")
    assert read_event(_command(command="start", endpoint="another"), PLAN, 0.0) is None
    assert read_event({"source": "aws.sagemaker", "detail": {}}, PLAN, 0.0) == Look()
    assert read_event({"source": "aws.events", "detail-type": "Scheduled Event"}, PLAN, 0.0) == Look()
    with pytest.raises(PermanentError, match="no batch command 'begin'"):
        read_event(_command(command="begin"), PLAN, 0.0)


def test_the_requests_of_jobs_are_what_the_settings_say(world):
    from lambdas.inference.batch.adapters.transforms import request

    world.deliver(world.start())
    made = request("job", world.state.run, "s3://artefacts/m", PLAN)
    assert made["ModelName"] == PLAN.model(world.state.run.id)
    assert made["Environment"]["TIDEGATE_CAPTURE_SAMPLING_PERCENT"] == "0"
    assert made["TransformOutput"]["S3OutputPath"].endswith("/part=0")
    assert json.dumps(made)


def test_a_permanent_error_in_a_running_job_is_noted_told_once_and_tried_again():
    world = World(objects=9)
    world.deliver(world.start())
    world.pass_time(2 * MINUTE)
    world.refused_names = {"see": world.time + 2.5 * MINUTE}
    world.pass_time(2 * MINUTE)
    (run,) = world.store.runs.values()
    assert (run["outcome"], run["text"]) == (None, "AccessDenied: see")
    assert [fault for fault in world.faults if "AccessDenied" in fault] == world.faults
    assert len(world.faults) == 1
    world.pass_time(MINUTE)
    assert next(iter(world.store.runs.values()))["text"] == ""
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"]


@pytest.mark.parametrize("error", [PermanentError, RetryableError])
def test_at_its_limit_a_runs_job_is_stopped_before_the_run_ends(world, error):
    def failing(bucket, key):
        raise error("AccessDenied: kms")

    world.transforms.settle = lambda: None
    world.deliver(world.start())
    world.objects.read = failing
    world.pass_time(7 * HOUR)
    (job,) = world.transforms.jobs.values()
    assert (job.status, world.outcomes) == ("Stopping", [None])
    job.status = "Stopped"
    world.until_over()
    assert world.outcomes == ["failed"]
    assert "within 6 hours; lately: AccessDenied: kms" in next(iter(world.store.runs.values()))["text"]


def test_a_refusal_does_not_end_a_run_whose_job_somebody_else_created(world):
    world.deliver(world.start())
    run = world.state.run
    Controller(world.ports, PLAN).tell(NotDone(run.id, "AccessDenied", permanent=True, attempt=1, refused=True))
    world.until_over()
    world.check_over()
    assert world.outcomes == ["done"]
