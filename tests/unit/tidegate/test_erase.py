"""erase: a subject's rows and jobs go for good; the job that takes rows out is the real one, on Parquet files."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import polars as pl
import pytest
from botocore.validate import validate_parameters
from moto import mock_aws

from lambdas import contract
from lambdas.inference.adapters.attributes import written
from lambdas.inference.batch import keyed
from lambdas.inference.jobs.job import Status
from localcloud.front.permissions import Scope, needs_of
from model_containers.monitoring import erasing
from tests.docs.pages import Page
from tests.unit.tidegate.conftest import BUCKET
from tests.unit.tidegate.doors import NAME, Door
from tests.unit.tidegate.states import NOW
from tidegate import cli
from tidegate.answers import Pace
from tidegate.commands import context as surroundings
from tidegate.commands import erase

Run = Callable[..., int]
AUDIT = f"audit/{NAME}/2027/01/15/07"
MACHINE = {
    "image": "repository/monitoring:1",
    "role": "arn:aws:iam::123456789012:role/jobs",
    "instance_type": "ml.m5.large",
}


class FakeSageMaker:
    """Runs the job on what lies in the bucket, when it is looked at for the second time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._s3 = boto3.client("s3")
        self.requests: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.others: list[list[str]] = []
        self.looks = 0
        self.before_upload: Callable[[Path], None] = lambda outputs: None
        service = botocore.session.get_session().get_service_model("sagemaker")
        self._shape: Any = service.operation_model("CreateProcessingJob").input_shape

    def create_processing_job(self, **request: Any) -> None:
        validate_parameters(request, self._shape)
        self.requests.append(request)
        self.looks = 0

    def stop_processing_job(self, *, ProcessingJobName: str) -> None:
        self.stopped.append(ProcessingJobName)

    def get_paginator(self, name: str) -> Any:
        assert name == "list_processing_jobs"
        return self

    def paginate(self, *, NameContains: str, StatusEquals: str) -> Iterator[Any]:
        assert StatusEquals == "InProgress"
        running = self.others.pop(0) if self.others else []
        own = [self.requests[-1]["ProcessingJobName"]] if self.requests and self.looks < 2 else []
        yield {"ProcessingJobSummaries": [{"ProcessingJobName": name} for name in [*own, *running]]}

    def describe_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:
        assert ProcessingJobName == self.requests[-1]["ProcessingJobName"]
        self.looks += 1
        if self.looks < 2:
            return {"ProcessingJobStatus": "InProgress"}
        status, message = self._run(self.requests[-1])
        return {"ProcessingJobStatus": "Failed" if status else "Completed", "ExitMessage": message}

    def _run(self, request: dict[str, Any]) -> tuple[int, str]:
        shutil.rmtree(self.folder, ignore_errors=True)
        for each in request["ProcessingInputs"]:
            self._fetch(each["S3Input"]["S3Uri"], self._local(each["S3Input"]["LocalPath"]))
        assert request["AppSpecification"]["ContainerArguments"] == ["erase"]
        status = erasing.run(self.folder)
        message = self.folder / "output" / "message"
        if not status:
            self.before_upload(self.folder / "processing" / "output")
            for each in request["ProcessingOutputConfig"]["Outputs"]:
                self._store(self._local(each["S3Output"]["LocalPath"]), each["S3Output"]["S3Uri"])
        return status, message.read_text() if message.exists() else ""

    def _local(self, path: str) -> Path:
        return self.folder / path.removeprefix("/opt/ml/")

    def _fetch(self, uri: str, folder: Path) -> None:
        prefix = uri.removeprefix(f"s3://{BUCKET}/")
        folder.mkdir(parents=True)
        for each in self._s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", []):
            path = folder / each["Key"].removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read())

    def _store(self, folder: Path, uri: str) -> None:
        prefix = uri.removeprefix(f"s3://{BUCKET}/")
        for path in folder.rglob("*"):
            if path.is_file():
                key = f"{prefix}{path.relative_to(folder).as_posix()}"
                self._s3.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


class Archive(Door):
    """A front door with an audit, in a bucket that keeps what is overwritten."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.aws.s3.create_bucket(Bucket=BUCKET)
        self.aws.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.declare(queue=self.queue, dead_letters=self.dead, erasure=MACHINE)
        self.folder = folder
        self.sagemaker = FakeSageMaker(folder / "job")
        self.fakes["sagemaker"] = self.sagemaker

    def write_down(self, name: str, *subjects: str | None) -> None:
        path = self.folder / "written.parquet"
        pl.DataFrame({"subject": subjects, "id": [str(n) for n in range(len(subjects))]}).write_parquet(path)
        self.put(f"{AUDIT}/{name}", path.read_bytes())

    def put(self, key: str, content: bytes) -> None:
        self.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def subjects(self, name: str) -> list[str | None]:
        path = self.folder / "read.parquet"
        path.write_bytes(self.aws.s3.get_object(Bucket=BUCKET, Key=f"{AUDIT}/{name}")["Body"].read())
        return pl.read_parquet(path)["subject"].to_list()

    def versions(self, prefix: str = "") -> list[str]:
        found = self.aws.s3.list_object_versions(Bucket=BUCKET, Prefix=prefix)
        return [each["Key"] for each in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]]


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Archive]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    ticks = iter(range(10**6))
    monkeypatch.setattr(erase, "Pace", lambda: Pace(lambda: float(next(ticks)), lambda _: None))
    with mock_aws():
        made = Archive(tmp_path)
        monkeypatch.setattr(surroundings, "open_environment", lambda _: made.aws)
        monkeypatch.setattr("time.time", lambda: NOW)
        yield made


@pytest.fixture
def run(archive: Archive) -> Run:
    return lambda *argv: cli.main(["erase", "--subject", "ana", *argv])


def erased(run: Run, capsys: pytest.CaptureFixture[str], status: int = 0) -> Any:
    assert run("--yes", "-o", "json") == status
    return json.loads(capsys.readouterr().out)


def test_a_subjects_rows_go_and_no_version_of_them_is_left(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.write_down("a.parquet", "ana", "ben", None, "ana")
    archive.write_down("b.parquet", "ben")
    archive.write_down("c.parquet", "ana")
    told = erased(run, capsys)
    name = archive.sagemaker.requests[0]["ProcessingJobName"]
    assert told == {
        "endpoint": NAME,
        "subject": "ana",
        "job": name,
        "files": 3,
        "rows": 6,
        "files_changed": 2,
        "rows_erased": 3,
        "versions_deleted": 2,
        "jobs_erased": 0,
        "answer_erased": False,
        "jobs_left": [],
        "unreadable": [],
        "not_filed": 0,
    }
    found = [archive.subjects(f"{each}.parquet") for each in "abc"]
    assert found == [["ben", None], ["ben"], []]
    assert sorted(archive.versions(AUDIT)) == [f"{AUDIT}/{each}.parquet" for each in "abc"]


def test_whom_it_was_about_is_nowhere_afterwards(archive: Archive, run: Run) -> None:
    archive.write_down("a.parquet", "ana", "ben")
    assert run("--yes") == 0
    assert "ana" not in json.dumps(archive.sagemaker.requests)
    (report,) = archive.versions(f"inference/{NAME}/erasures/")
    assert report.endswith("/report/report.json")
    assert b"ana" not in archive.aws.s3.get_object(Bucket=BUCKET, Key=report)["Body"].read()


def test_a_second_time_there_is_nothing_left(archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    archive.write_down("a.parquet", "ana", "ben")
    erased(run, capsys)
    told = erased(run, capsys)
    assert (told["rows_erased"], told["files_changed"], told["versions_deleted"]) == (0, 0, 0)


def documented() -> set[str]:
    """Return the actions that the pages name for ``erase``, with what every command and ``jobs`` need."""
    _, _, policy = Page("operators.md").text.partition("```json\n")
    actions = set(re.findall(r'"(\w+:\w+)"', policy))
    for needs in re.findall(r"^\| `(?:door|jobs|erase)` \|(.+)", Page("front-door.md").text, re.MULTILINE):
        service = ""
        for word in re.findall(r"`([\w-]+:\w*|[A-Z]\w+)`", needs):
            if word.endswith(":"):
                service = word
            else:
                actions.add(word if ":" in word else f"{service}{word}")
    return actions


def test_what_the_page_names_is_all_that_it_needs(archive: Archive, run: Run) -> None:
    calls: list[tuple[str, Any]] = []

    def call(params: Any, model: Any, **_: Any) -> None:
        calls.append((f"{model.service_model.service_name}:{model.name}", dict(params)))

    archive.write_down("a.parquet", "ana", "ben")
    archive.job("j1", Status.DONE, subject="ana")
    archive.put(f"inference/{NAME}/jobs/j1/input-1.json", b"{}")
    for client in (archive.aws.s3, archive.aws.dynamodb, archive.aws.ssm):
        client.meta.events.register("provide-client-params", call)
    assert run("--yes") == 0
    calls += [("sagemaker:CreateProcessingJob", request) for request in archive.sagemaker.requests]
    scope = Scope("123456789012", "us-east-1")
    needed = {need.action for name, params in calls for need in needs_of(name, params, scope)}
    assert {"sagemaker:CreateProcessingJob", "s3:DeleteObjectVersion", "dynamodb:DeleteItem"} <= needed
    assert needed <= documented()


def test_what_a_run_that_was_stopped_has_overwritten_goes_as_well(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.write_down("a.parquet", "ana")
    archive.write_down("a.parquet", "ben")
    assert erased(run, capsys)["versions_deleted"] == 1
    assert archive.versions(AUDIT) == [f"{AUDIT}/a.parquet"]


def test_a_subjects_jobs_go_with_rows_and_answers(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    for identity, subject in (("j1", "ana"), ("j2", "ben"), ("j10", "ana")):
        archive.job(identity, Status.DONE, subject=subject)
        for name in ("input-1.json", "result-1.json", "result-1.json"):
            archive.put(f"inference/{NAME}/jobs/{identity}/{name}", b"{}")
    told = erased(run, capsys)
    assert (told["jobs_erased"], told["job"]) == (2, None)
    assert [identity for identity in ("j1", "j2", "j10") if archive.found(identity)] == ["j2"]
    assert set(archive.versions("inference/")) == {
        f"inference/{NAME}/jobs/j2/{name}" for name in ("input-1.json", "result-1.json")
    }
    assert archive.sagemaker.requests == [], "there is no audit, so that no job is needed"


def test_who_was_stopped_between_a_jobs_rows_and_its_item_finds_it_again(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.job("j1", Status.DONE, subject="ana")
    archive.put(f"inference/{NAME}/jobs/j1/input-1.json", b"{}")
    with monkeypatch.context() as stopped:
        stopped.setattr(erase.erasing_jobs, "delete_all", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run("--yes") != 0
    capsys.readouterr()
    assert erased(run, capsys)["jobs_erased"] == 1
    assert archive.versions("inference/") == []


def test_what_an_endpoint_of_their_own_left_of_jobs_goes_with_them(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [f"inference/{NAME}/{folder}/x.out" for folder in ("answers", "failures")]
    for key in (*left, f"inference/{NAME}/answers/y.out"):
        archive.put(key, b"{}")
    strewn = tuple(f"s3://{BUCKET}/{key}" for key in left)
    archive.job("j1", Status.DONE, subject="ana", strewn=strewn)
    assert erased(run, capsys)["jobs_erased"] == 1
    assert archive.versions("inference/") == [f"inference/{NAME}/answers/y.out"]


def test_a_job_that_is_worked_on_is_left_and_told(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.job("j1", Status.RUNNING, subject="ana", lease_until=NOW + 60)
    archive.put(f"inference/{NAME}/jobs/j1/input-1.json", b"{}")
    assert erased(run, capsys, status=1)["jobs_left"] == ["j1"]
    assert archive.found("j1") is not None
    assert archive.versions("inference/") == [f"inference/{NAME}/jobs/j1/input-1.json"]


def test_a_job_that_somebody_takes_meanwhile_is_left_and_told(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.job("j1", Status.QUEUED, subject="ana")
    look = erase.erasing_jobs.of_subject

    def raced(*arguments: Any) -> Any:
        found = look(*arguments)
        archive.job("j1", Status.RUNNING, subject="ana", version=1, lease_until=NOW + 60)
        return found

    monkeypatch.setattr(erase.erasing_jobs, "of_subject", raced)
    assert erased(run, capsys, status=1)["jobs_left"] == ["j1"]


def test_what_cannot_be_looked_into_is_told(archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    archive.put(f"{AUDIT}/broken.parquet", b"PAR1")
    archive.put(f"audit-errors/{NAME}/format-conversion-failed/x", b"{}")
    assert run("--yes") == 1
    text = capsys.readouterr().out
    assert "LEFT: 2027/01/15/07/broken.parquet of the audit is no Parquet" in text
    assert "LEFT: 1 files of records that could not be filed" in text


def unfiled(*kinds: str) -> bytes:
    """Return a file of records that could not be filed, as Firehose writes it: what came from CloudWatch Logs."""
    raw = [gzip.compress(json.dumps({"messageType": kind, "logEvents": []}).encode()) for kind in kinds]
    return b"".join(json.dumps({"rawData": base64.b64encode(each).decode()}).encode() + b"\n" for each in raw)


def test_a_check_of_cloudwatch_logs_is_nothing_to_look_into(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.put(f"audit-errors/{NAME}/format-conversion-failed/x", unfiled("CONTROL_MESSAGE", "CONTROL_MESSAGE"))
    assert erased(run, capsys)["not_filed"] == 0


@pytest.mark.parametrize(
    "content",
    [
        unfiled("DATA_MESSAGE"),
        unfiled("CONTROL_MESSAGE", "DATA_MESSAGE"),
        b"",
        b'{"rawData": "e30="}\n',
        b'{"rawData": 7}\n',
        b'["rawData"]\n',
        unfiled("CONTROL_MESSAGE") * 1000,
    ],
    ids=["prediction", "both", "empty", "no gzip", "no text", "no record", "too large"],
)
def test_whatever_else_could_not_be_filed_is_told(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    archive.put(f"audit-errors/{NAME}/format-conversion-failed/x", content)
    assert erased(run, capsys, status=1)["not_filed"] == 1


def test_a_file_that_is_not_what_the_job_wrote_keeps_its_versions(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.write_down("a.parquet", "ana", "ben")

    def spoil(outputs: Path) -> None:
        next((outputs / "erased").rglob("*.parquet")).write_bytes(b"spoilt")

    archive.sagemaker.before_upload = spoil
    assert run("--yes") == 1
    assert "is not what the job has written" in capsys.readouterr().err
    assert len(archive.versions(AUDIT)) == 2


def test_a_job_that_fails_tells_why_and_leaves_no_name(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write_down("a.parquet", "ana")
    monkeypatch.setattr(erasing, "SCHEMA", 2)
    assert run("--yes") == 1
    said = capsys.readouterr().err
    assert "has another schema than 2" in said
    assert "may be changed" in said, "whether its outputs were uploaded is not known"
    assert archive.versions(f"inference/{NAME}/erasures/") == []
    assert archive.subjects("a.parquet") == ["ana"]


@pytest.mark.parametrize("running", [[["erase-rain-local-0"]], [[], ["erase-rain-local-0"]]])
def test_two_never_change_the_same_files(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str], running: list[list[str]]
) -> None:
    archive.write_down("a.parquet", "ana")
    archive.sagemaker.others = list(running)
    assert run("--yes") == 3
    assert "erase-rain-local-0 just erases" in capsys.readouterr().err
    assert len(archive.sagemaker.stopped) == len(archive.sagemaker.requests) == len(running) - 1
    assert archive.versions(f"inference/{NAME}/erasures/") == []


def test_jobs_of_other_endpoints_may_run(archive: Archive, run: Run) -> None:
    archive.write_down("a.parquet", "ana")
    archive.sagemaker.others = [["x-erase-rain-local-0"], ["x-erase-rain-local-0"]]
    assert run("--yes") == 0


def test_nothing_is_erased_unasked(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.write_down("a.parquet", "ana")
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert run() == 2
    told = capsys.readouterr().err
    assert "0 jobs of rain-local will be deleted for good, the answer of a batch under its key if there is one" in told
    assert "all rows of the subject in 1 file (0.0 MB) of its audit" in told
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert run() == 3
    assert archive.subjects("a.parquet") == ["ana"]
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert run() == 0
    assert archive.subjects("a.parquet") == []


def test_a_door_that_names_no_machine_says_what_to_do(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    archive.write_down("a.parquet", "ana")
    archive.declare()
    assert run("--yes") == 1
    assert "is audit: declared" in capsys.readouterr().err
    assert cli.main(["erase", "--subject", " "]) == 2


def test_its_disk_is_large_enough(archive: Archive, run: Run) -> None:
    archive.write_down("a.parquet", "ana")
    run("--yes")
    (request,) = archive.sagemaker.requests
    assert request["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 11
    assert request["RoleArn"] == MACHINE["role"]


def test_the_answer_of_a_batch_under_the_subjects_key_goes(
    archive: Archive, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    table = contract.inference_table("local")
    for key in ("ana", "ben"):
        told = {"run": "r", "source": "0:1", "at": NOW, "version": "1.0.0", "model": "m"}
        item = written(keyed.item(NAME, key, '{"rain":1}', told, 1))
        archive.aws.dynamodb.put_item(TableName=table, Item=item)
    assert erased(run, capsys)["answer_erased"] is True
    left = [item["pk"]["S"] for item in archive.aws.dynamodb.scan(TableName=table)["Items"]]
    assert f"PREDICTION#{NAME}#ana" not in left
    assert f"PREDICTION#{NAME}#ben" in left
    assert run("--yes") == 0
    assert "under its key is erased" not in capsys.readouterr().out
