"""The function that works on jobs, where an endpoint of their own answers them: what it asks of AWS, and hears."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.contract import jobs_endpoint
from lambdas.inference.adapters import async_runtime
from lambdas.inference.following.adapters.table import DynamoStandings
from lambdas.inference.following.standing import Standing
from tests.unit.inference.async_jobs_world import notification
from tests.unit.inference.jobs_account import BUCKET, NAME, SETTINGS, Account, account_with

_ATTEMPTS = 2
_DOOR = {**SETTINGS, "jobs": {"attempts": _ATTEMPTS, "keep_days": 7, "asynchronous": {"concurrent": 4}}}


class SageMaker:
    """The runtime's client; it takes what it is given."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def __call__(self) -> "SageMaker":
        return self

    def invoke_endpoint_async(self, **request: Any) -> dict[str, str]:
        self.asked.append(request)
        place = f"s3://{BUCKET}/inference/{NAME}"
        return {name: f"{place}/{name}/1" for name in ("OutputLocation", "FailureLocation")}


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> SageMaker:
    client = SageMaker()
    monkeypatch.setattr(async_runtime, "Lazy", lambda *_, **__: client)
    return client


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, sagemaker: SageMaker) -> Iterator[Account]:
    with account_with(monkeypatch, _DOOR) as found:
        yield found


def follow() -> None:
    """Let the endpoint be there, with the live version."""
    standing = Standing(NAME).changing("config-1", "2.0.0", "package/2", ("model/m-1",), time.time())
    DynamoStandings().save(standing.settled(time.time()))


def leave(account: Account, name: str, content: bytes) -> None:
    """Let SageMaker leave something in the bucket."""
    account.s3.put_object(Bucket=BUCKET, Key=f"inference/{NAME}/{name}/1", Body=content)


def tell(account: Account, job: str, *, failed: str = "") -> None:
    """Let SageMaker tell the queue of a job's first attempt."""
    text = notification(f"{job}-1", failed=bool(failed), reason=failed)
    account.sqs.send_message(QueueUrl=account.queue, MessageBody=text)


def test_a_job_is_handed_over_and_ends_with_what_sagemaker_tells(
    account: Account, sagemaker: SageMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    follow()
    _, accepted, _ = account.post([[1, 2], [3, 4]])
    job = accepted["id"]
    assert account.run() == [], "its message is done with: another one, sent anew, looks for the answer"
    (asked,) = sagemaker.asked
    assert asked["EndpointName"] == jobs_endpoint(NAME)
    assert asked["InferenceId"] == f"{job}-1"
    rows = account.s3.get_object(Bucket=BUCKET, Key=asked["InputLocation"].removeprefix(f"s3://{BUCKET}/"))
    assert json.loads(rows["Body"].read()) == {"instances": [[1, 2], [3, 4]]}
    assert account.call("GET", f"/jobs/{job}")[1]["status"] == "running"

    leave(account, "OutputLocation", b'{"predictions": [0.25, 0.5]}')
    tell(account, job)
    assert account.run() == []
    _, done, _ = account.call("GET", f"/jobs/{job}")
    assert (done["status"], done["predictions"], done["model_version"]) == ("done", [0.25, 0.5], "2.0.0")
    (audited,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "input_hash" in line]
    assert (audited["id"], audited["status"], audited["variant"], audited["rows"]) == (job, 200, "jobs", 2)
    assert len(account.received(account.heard)) == 1
    account.be_visible()
    assert account.run() == [], "and the job's own message has done its duty"
    assert account.runtime.asked == [], "the real-time endpoint is asked for no job"


def test_its_refusal_of_rows_is_the_jobs_end(account: Account, sagemaker: SageMaker) -> None:
    follow()
    _, accepted, _ = account.post()
    account.run()
    leave(account, "FailureLocation", b'{"detail": "row 1 has no dew_point", "errors": [{"row": 1, "reason": "no"}]}')
    tell(account, accepted["id"], failed="ClientError: Received client error (422) from model.")
    assert account.run() == []
    _, shown, _ = account.call("GET", f"/jobs/{accepted['id']}")
    assert (shown["status"], shown["problem"]["status"]) == ("failed", 422)
    assert shown["problem"]["errors"] == [{"row": 1, "detail": "no"}]
    assert len(sagemaker.asked) == 1


def test_jobs_wait_for_an_endpoint_that_is_only_being_made(account: Account, sagemaker: SageMaker) -> None:
    _, accepted, _ = account.post()
    assert len(account.run()) == 1
    assert sagemaker.asked == []
    follow()
    account.be_visible()
    account.run()
    assert sagemaker.asked[0]["InferenceId"] == f"{accepted['id']}-1"
