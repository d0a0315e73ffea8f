"""jobs: what is listed, shown, found among the dead letters, and queued again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto import mock_aws

from lambdas.inference.jobs.job import Job, Status
from tests.unit.tidegate.conftest import BUCKET
from tests.unit.tidegate.doors import NAME, PROBLEM, TABLE, Door
from tests.unit.tidegate.states import NOW
from tidegate import cli, dead_letters
from tidegate import jobs as jobs_of
from tidegate.commands import context as surroundings
from tidegate.dead_letters import DeadLetters
from tidegate.settings import find_endpoint

Run = Callable[..., int]


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(dead_letters, "WAIT_SECONDS", 0)
    with mock_aws():
        made = Door()
        monkeypatch.setattr(surroundings, "open_environment", lambda _: made.aws)
        monkeypatch.setattr("time.time", lambda: NOW)
        yield made


@pytest.fixture
def run(door: Door) -> Run:
    return lambda *argv: cli.main(["jobs", *argv])


def shown(run: Run, capsys: pytest.CaptureFixture[str], *argv: str, status: int = 0) -> Any:
    assert run(*argv, "-o", "json") == status
    return json.loads(capsys.readouterr().out)


def test_the_latest_jobs_of_the_endpoint_are_listed(door: Door, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        door.job(f"j{number}", Status.QUEUED if number else Status.DONE, created_at=NOW - number)
    door.job("other", endpoint="rain-local-2")
    key = {"pk": {"S": f"CACHE#{NAME}#m#h"}, "sk": {"S": "ANSWER"}, "body": {"S": "{}"}}
    door.aws.dynamodb.put_item(TableName=TABLE, Item=key)  # type: ignore[arg-type]
    assert [job["id"] for job in shown(run, capsys, "list")] == ["j0", "j1", "j2"]
    assert [job["id"] for job in shown(run, capsys, "list", "--limit", "2")] == ["j0", "j1"]
    assert [job["id"] for job in shown(run, capsys, "list", "--status", "queued")] == ["j1", "j2"]
    assert run("list") == 0
    assert "queued" in capsys.readouterr().out
    assert run("list", "--status", "running") == 0
    assert "there are no such jobs" in capsys.readouterr().out
    assert run("list", "--limit", "0") == 2


def test_a_job_is_shown_without_whom_it_is_about(door: Door, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    door.job("j1", attempt=3, reason="attempt 3, the last: busy", subject="ana", result="r.json")
    told = shown(run, capsys, "show", "j1")
    assert (told["status"], told["attempt"], told["problem"]) == ("failed", 3, PROBLEM)
    assert (told["input"], told["location"]) == (f"s3://{BUCKET}/in.json", f"s3://{BUCKET}/r.json")
    assert "ana" not in json.dumps(told)
    assert run("show", "j1") == 0
    text = capsys.readouterr().out
    assert "attempt 3, the last: busy" in text
    assert "the model was asked 3 times" in text
    assert run("show", "j2") == 1
    assert "has no job 'j2'" in capsys.readouterr().err


def test_dead_letters_are_listed_with_their_reasons_and_stay(
    door: Door, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    door.job("killed", Status.RUNNING, attempt=40, began_at=NOW - 900, lease_until=NOW - 800)
    door.job("queued", Status.QUEUED, reason="attempt 2: busy")
    for identity in ("killed", "queued", "gone"):
        door.bury(identity, None)
    door.bury("j1")
    door.bury("foreign", "it is not ours", endpoint="snow-local")
    for _ in range(2):
        told = {letter["job"]: letter["reason"] for letter in shown(run, capsys, "dead")}
        assert told == {
            "j1": "attempt 3, the last: busy",
            "killed": "it was delivered too often; attempt 40 began at 2027-01-15T07:45:00Z and never ended: "
            "its worker was killed",
            "queued": "it was delivered too often; attempt 2: busy",
            "gone": "it was delivered too often",
            None: "it is not ours",
        }
    assert len(shown(run, capsys, "dead", "--limit", "2")) == 2
    assert run("dead") == 0
    assert "(names no job)" in capsys.readouterr().out


def test_letters_that_name_no_job_can_be_discarded(door: Door, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    door.bury("j1")
    for text in ('{"eventSource": "aws:sagemaker", "eventName": "TestNotification"}', "nobody's"):
        door.aws.sqs.send_message(QueueUrl=door.dead, MessageBody=text)
    door.bury("foreign", endpoint="snow-local")
    assert len(shown(run, capsys, "dead", "--discard", "--limit", "1")) == 1
    assert [each["job"] for each in shown(run, capsys, "dead", "--discard")] == [None, None]
    assert door.waiting(door.dead) == ["j1"]


def test_failed_jobs_are_queued_again_and_their_letters_deleted(
    door: Door, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        door.job(f"j{number:02d}", attempt=3, tries=3)
        door.bury(f"j{number:02d}")
    door.bury("j00")
    told = shown(run, capsys, "redrive", "--all")
    assert sorted(each["job"] for each in told) == [f"j{number:02d}" for number in range(12)]
    assert {each["outcome"] for each in told} == {"queued"}
    job = door.found("j00")
    assert job is not None
    assert (job.status, job.tries, job.attempt, job.problem, job.version) == (Status.QUEUED, 0, 3, None, 1)
    assert door.waiting(door.dead) == []
    assert (
        int(
            door.aws.sqs.get_queue_attributes(QueueUrl=door.queue, AttributeNames=["All"])["Attributes"][
                "ApproximateNumberOfMessages"
            ]
        )
        == 12
    )
    assert run("redrive", "--all") == 0
    assert "nothing to queue again" in capsys.readouterr().out


def test_only_the_named_are_queued_again(door: Door, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for identity in ("j1", "j2"):
        door.job(identity)
        door.bury(identity)
    assert run("redrive", "j2") == 0
    assert door.waiting(door.queue) == ["j2"]
    assert door.waiting(door.dead) == ["j1"]
    assert run("redrive", "j3") == 1, "there is no such job"
    assert run("redrive") == 2
    assert run("redrive", "--all", "j1") == 2


def test_what_needs_no_second_try_is_left_alone(door: Door, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    door.job("done", Status.DONE)
    door.job("runs", Status.RUNNING, lease_until=NOW + 10)
    door.job("stuck", Status.RUNNING, lease_until=NOW - 10)
    door.job("expired", expires=int(NOW) - 1)
    for identity in ("done", "runs", "stuck", "gone", "expired"):
        door.bury(identity)
    told = {each["job"]: each["outcome"] for each in shown(run, capsys, "redrive", "--all", status=1)}
    assert told == {"done": "answered", "runs": "running", "stuck": "queued", "gone": "gone", "expired": "gone"}
    assert door.waiting(door.queue) == ["stuck"]
    assert door.waiting(door.dead) == ["runs"], "its letter is the last to know of it"


def test_a_worker_that_was_quicker_is_not_disturbed(
    door: Door, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    door.job("j1")
    door.bury("j1")
    find = jobs_of.find

    def raced(*arguments: Any) -> Job | None:
        job = find(*arguments)
        door.job("j1", Status.RUNNING, version=1)
        return job

    monkeypatch.setattr(jobs_of, "find", raced)
    assert shown(run, capsys, "redrive", "j1", status=1) == [{"job": "j1", "outcome": "changed"}]
    assert door.waiting(door.queue) == []


def test_a_job_that_fails_again_at_once_keeps_its_new_letter(
    door: Door, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.job("j1")
    door.bury("j1")
    redrive = jobs_of.redrive

    def failing(*arguments: Any) -> Any:
        told = redrive(*arguments)
        door.bury("j1", "failed again")
        return told

    monkeypatch.setattr(jobs_of, "redrive", failing)
    assert run("redrive", "--all") == 0
    assert door.waiting(door.dead) == ["j1"]


def test_an_endpoint_without_jobs_says_how_to_have_them(
    door: Door, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    door.declare()
    assert run("dead") == 1
    assert "add jobs: to its front_door:" in capsys.readouterr().err


def test_letters_are_given_back_even_when_nobody_reads_on(door: Door) -> None:
    for number in range(3):
        door.bury(f"j{number}")
    endpoint = find_endpoint(door.aws, "local", None)
    with DeadLetters(door.aws, endpoint) as letters:
        next(letters.read(10))
        assert door.waiting(door.dead) == []
    assert len(door.waiting(door.dead)) == 3
