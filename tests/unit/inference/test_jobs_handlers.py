"""The functions of jobs, from API Gateway's event and SQS' messages to what lies in AWS."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.stub import Stubber

from lambdas import contract
from lambdas.inference.adapters.job_table import DynamoJobs
from lambdas.inference.adapters.queues import SqsDeadLetters, SqsQueue
from lambdas.inference.flags import Switches
from lambdas.inference.jobs.job import Job
from lambdas.inference.problems import Problem
from lambdas.inference.signature import Signature
from lambdas.rollout.errors import ConflictError
from tests.unit.inference.jobs_account import BUCKET, NAME, Account, account_with


class JobsOff:
    """Switches with jobs switched off."""

    def latest(self) -> Switches:
        return replace(Switches(), jobs=False)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    with account_with(monkeypatch) as found:
        yield found


def test_a_job_from_request_to_answer(account: Account, capsys: pytest.CaptureFixture[str]) -> None:
    status, accepted, headers = account.post([[1, 2], [3, 4]], Tidegate_Subject="s-1")
    assert (status, accepted["status"]) == (202, "queued")
    assert headers["Location"] == f"jobs/{accepted['id']}"
    assert account.call("GET", f"/jobs/{accepted['id']}")[2]["Retry-After"] == "2"
    assert account.run() == []
    status, done, headers = account.call("GET", f"/jobs/{accepted['id']}")
    assert (status, done["status"], done["predictions"], done["model_version"]) == (200, "done", [0.25, 0.25], "2.0.0")
    assert "Retry-After" not in headers
    (body, variant, prediction, _) = account.runtime.asked[0]
    assert (json.loads(body), variant, prediction) == ({"instances": [[1, 2], [3, 4]]}, None, accepted["id"])
    ((event,),) = ([json.loads(each["Body"]) for each in account.received(account.heard)],)
    assert (event["detail-type"], event["detail"]["id"]) == (contract.JOB_DETAIL_TYPE, accepted["id"])
    assert event["detail"]["location"] == f"s3://{BUCKET}/inference/{NAME}/jobs/{accepted['id']}/result-1.json"
    (audited,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "input_hash" in line]
    assert (audited["subject"], audited["client"]) == ("s-1", "shop")
    assert account.received(account.queue) == []


def test_what_cannot_be_answered_is_refused_at_once(account: Account) -> None:
    for body, slug in (("{", "invalid-json"), ('{"instances": []}', "invalid-input")):
        status, problem, headers = account.call("POST", "/jobs", body)
        assert problem["type"] == f"urn:tidegate:problem:{slug}"
        assert headers["Content-Type"] == "application/problem+json"
        assert status == problem["status"]
    assert account.received(account.queue) == []


def test_rows_that_the_live_version_does_not_take_are_refused(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Picky:
        def check(self, instances: Any) -> None:
            raise Problem("invalid-input", "row 1 has no dew_point", errors=[{"row": 1, "column": "dew_point"}])

        def of(self, served: Any) -> Any:
            return self if served.key == "package/2" else None

    monkeypatch.setattr(account.jobs, "_ports", replace(account.jobs._ports, signatures=Picky()))
    status, problem, _ = account.post()
    assert (status, problem["errors"]) == (422, [{"row": 1, "column": "dew_point"}])


def test_a_replay_is_one_whether_or_not_it_is_known_what_the_model_takes(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = [{"name": name, "dtype": "float32"} for name in ("wind", "dew")]
    known = Signature.from_document({"schema": 1, "tensor": "x", "columns": columns})
    rows = [{"dew": 1, "wind": 2}]
    first = account.post(rows, Idempotency_Key="order-7")
    signatures: Any = SimpleNamespace(of=lambda served: known)
    monkeypatch.setattr(account.jobs, "_ports", replace(account.jobs._ports, signatures=signatures))
    assert account.post(rows, Idempotency_Key="order-7")[:2] == first[:2]


def test_a_replay_is_told_as_one(account: Account) -> None:
    first = account.post(Idempotency_Key="order-7")
    again = account.post(Idempotency_Key="order-7")
    assert first[:2] == again[:2]
    assert ("Idempotency-Replayed" in first[2], again[2]["Idempotency-Replayed"]) == (False, "true")
    assert account.post([[9]], Idempotency_Key="order-7")[0] == 409
    assert account.post(Idempotency_Key="order-7", key="key-2")[1]["id"] != first[1]["id"]


def test_a_job_is_nobody_elses(account: Account) -> None:
    _, accepted, _ = account.post()
    assert account.call("GET", f"/jobs/{accepted['id']}", key="key-2")[0] == 404
    for other in ("0" * 32, "..", "A" * 32):
        assert account.call("GET", f"/jobs/{other}")[0] == 404


def test_other_methods_and_targets_are_refused(account: Account) -> None:
    status, _, headers = account.call("PUT", "/jobs", {"instances": [[1]]})
    assert (status, headers["Allow"]) == (405, "POST")
    assert account.call("DELETE", f"/jobs/{'0' * 32}")[0] == 405
    assert account.post(Tidegate_Target_Variant="blue")[0] == 400


@pytest.mark.parametrize("off", ["front_door", "jobs"])
def test_what_is_switched_off_is_neither_taken_nor_worked_on(
    account: Account, monkeypatch: pytest.MonkeyPatch, off: str
) -> None:
    account.post()

    class Off:
        def latest(self) -> Switches:
            return replace(Switches(), **{off: False})

    for function in (account.jobs, account.work):
        monkeypatch.setattr(function, "_ports", replace(function._ports, flags=Off()))
    status, _, headers = account.post()
    assert (status, headers["Retry-After"]) == (503, "30")
    assert account.run() == []
    assert account.runtime.asked == []
    assert account.received(account.queue) == []
    (delay,) = account.delays()
    assert delay == 900


def test_a_job_outlasts_any_time_in_which_jobs_are_switched_off(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue counts how often a message is received, and buries it after 100 times, which is a day of them."""
    _, accepted, _ = account.post()
    ports = account.work._ports
    monkeypatch.setattr(account.work, "_ports", replace(ports, flags=JobsOff()))
    for _ in range(3):
        account.run()
        account.be_visible()
    (message,) = account.received(account.queue)
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    account.be_visible()
    monkeypatch.setattr(account.work, "_ports", ports)
    account.run()
    assert account.call("GET", f"/jobs/{accepted['id']}")[1]["status"] == "done"


def test_a_message_that_cannot_be_sent_anew_is_not_done_with(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.post()
    monkeypatch.setattr(account.work, "_ports", replace(account.work._ports, flags=JobsOff()))
    monkeypatch.setattr(SqsQueue, "send_later", lambda *_: (_ for _ in ()).throw(RuntimeError("gone")))
    assert len(account.run()) == 1
    account.be_visible()
    assert len(account.received(account.queue)) == 1


def test_a_busy_endpoint_is_asked_by_one_message_only_and_no_default_stands_in(account: Account) -> None:
    jobs = [account.post([[number]])[1]["id"] for number in range(3)]
    account.runtime.failures = [Problem("busy", "too much")]
    assert len(account.run()) == 3
    assert len(account.runtime.asked) == 1
    assert account.received(account.queue) == []
    for _ in range(2):
        account.be_visible()
        account.run()
    assert {account.call("GET", f"/jobs/{job}")[1]["status"] for job in jobs} == {"done"}
    assert all(account.call("GET", f"/jobs/{job}")[1]["predictions"] == [0.25] for job in jobs)


def test_after_its_attempts_a_job_is_a_dead_letter_with_its_reason(account: Account) -> None:
    _, accepted, _ = account.post()
    account.runtime.failures = [Problem("busy", "too\nmuch\x01")] * 3
    for _ in range(3):
        account.run()
        account.be_visible()
    (letter,) = account.received(account.dead)
    assert json.loads(letter["Body"]) == {"endpoint": NAME, "job": accepted["id"]}
    assert letter["MessageAttributes"]["reason"]["StringValue"] == "attempt 3, the last: busy: too much "
    assert account.call("GET", f"/jobs/{accepted['id']}")[1]["problem"]["status"] == 503
    assert account.received(account.queue) == []


def test_no_job_is_begun_that_could_not_be_ended(account: Account) -> None:
    account.post()
    assert len(account.run(seconds=20.0)) == 1
    assert account.runtime.asked == []


def test_a_message_that_breaks_the_worker_comes_again_and_the_others_are_done(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.post()
    load: Callable[..., Any] = DynamoJobs.load
    monkeypatch.setattr(DynamoJobs, "load", lambda *_: (_ for _ in ()).throw(RuntimeError("a bug")))
    assert len(account.run()) == 1
    monkeypatch.setattr(DynamoJobs, "load", load)
    account.be_visible()
    assert account.run() == []


def test_a_message_that_cannot_be_put_off_comes_again_all_the_same(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.post()
    account.runtime.failures = [Problem("busy", "too much")]
    monkeypatch.setattr(SqsQueue, "put_off", lambda *_: (_ for _ in ()).throw(RuntimeError("gone")))
    assert len(account.run()) == 1


def test_an_error_that_nobody_foresaw_is_a_problem_document(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account.jobs, "_accepting", None)
    status, problem, _ = account.post()
    assert (status, problem["type"]) == (500, "urn:tidegate:problem:internal")


def test_the_table_tells_writers_of_each_other(account: Account) -> None:
    store = DynamoJobs()
    job = Job(NAME, "a" * 32, "shop", "h", "key", 1.5, 1000, problem={"status": 503}, owed=("event",))
    store.create(job, 500.0)
    assert store.load(NAME, job.id) == job
    with pytest.raises(ConflictError):
        store.create(job, 999.0)
    store.create(job, 1000.0)
    saved = store.save(job)
    assert (saved.version, store.load(NAME, job.id)) == (1, saved)
    with pytest.raises(ConflictError):
        store.save(job)
    assert store.load(NAME, "b" * 32) is None


def test_a_worker_reads_what_was_just_written(account: Account) -> None:
    """A message may be faster than any other read, and whoever finds no job is done with its message."""
    store = DynamoJobs(lambda: account.dynamodb)
    asked: list[Any] = []
    account.dynamodb.meta.events.register(
        "provide-client-params.dynamodb.GetItem", lambda params, **_: asked.append(params.get("ConsistentRead"))
    )
    store.load(NAME, "a" * 32)
    assert asked == [True]


@pytest.mark.parametrize(("seconds", "asked"), [(0.2, 1), (5.5, 6), (100_000.0, 43_200), (-3.0, 0)])
def test_a_message_comes_no_sooner_than_it_is_wanted(account: Account, seconds: float, asked: int) -> None:
    """One that came a moment too soon would come again at once, and the queue counts how often it has."""
    request = {"QueueUrl": account.queue, "ReceiptHandle": "receipt", "VisibilityTimeout": asked}
    with Stubber(account.sqs) as sqs:
        sqs.add_response("change_message_visibility", {}, request)
        SqsQueue(contract.ENV_JOBS_QUEUE_URL, lambda: account.sqs).put_off("receipt", seconds)
        sqs.assert_no_pending_responses()


def test_a_reason_of_nothing_is_told_as_such(account: Account) -> None:
    SqsDeadLetters(contract.ENV_JOBS_DEAD_QUEUE_URL).send("{}", "")
    (letter,) = account.received(account.dead)
    assert letter["MessageAttributes"]["reason"]["StringValue"] == "not told"
