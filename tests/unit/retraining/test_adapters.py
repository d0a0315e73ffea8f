"""Requests as AWS takes them, events as they come, and files as they lie in S3."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from moto import mock_aws

from lambdas import contract
from lambdas.contract import RETRAINING_DETAIL_TYPE, RETRAINING_EVENT_SOURCE
from lambdas.retraining import manifests
from lambdas.retraining.adapters.artefacts import S3Artefacts
from lambdas.retraining.adapters.bucket import S3Files
from lambdas.retraining.adapters.models import SageMakerModels
from lambdas.retraining.adapters.parameters import SsmSettings
from lambdas.retraining.adapters.pipelines import SageMakerPipelines
from lambdas.retraining.adapters.table import DynamoStore
from lambdas.retraining.decision import Entry
from lambdas.retraining.handlers.events import pipeline_of, read_event
from lambdas.retraining.said import DataCame, Drifted, Ordered
from lambdas.retraining.settings import Bootstrap, OnDrift, Settings, SettingsError
from lambdas.retraining.state import Approval, Champion, Message, Run, State, Summary, Window
from lambdas.rollout.adapters.bus import EventBridge
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.errors import ConflictError, MissingError, PermanentError, RetryableError, TooLargeError

NAME, BUCKET = "rain-local", "artefacts"
CHAMPION = Champion("1.0.0", "arn:package/1", "config-1", "blue")
RUN = Run("run-1", "drift", "because", CHAMPION, 1.0, 2.5, 3.0, began=1.5)
TEXT = {
    "schema": 1,
    "environment": "local",
    "endpoint": NAME,
    "bucket": BUCKET,
    "pipeline": "rain",
    "on_drift": {"severe_features": 2, "windows": 2, "of": 3},
    "schedule_days": None,
    "on_new_data": False,
    "cooldown_minutes": 5,
    "monthly_runs": 20,
    "least_gain_percent": 1,
    "approval": "automatic",
    "parameters": {"ImageUri": "repository/training:1", "MaxRuntimeSeconds": 1800},
    "bootstrap": {"version": "2.0.0", "baseline": "s3://artefacts/b.json"},
}


class Asked:
    """A client that checks requests against the API's model, and answers what the test wants."""

    def __init__(self, service: str, **answers: Any) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._answers = answers
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in method.split("_")).replace("V2", "V2")
        shape: Any = self._model.operation_model(operation).input_shape

        def call(**request: Any) -> Any:
            validate_parameters(request, shape)
            self.requests.append((operation, request))
            answer = self._answers.get(method, {})
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    @property
    def lazy(self) -> Lazy:
        return Lazy("fake", lambda service: self)


def error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Operation")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Lazy]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv(contract.ENV_RETRAINING_TABLE, "retraining")
    monkeypatch.setenv(contract.ENV_ENVIRONMENT, "local")
    with mock_aws():
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            make: Any = boto3.client
            return made.setdefault(service, make(service, region_name="us-east-1"))

        yield lambda service: Lazy(service, client)


@pytest.fixture
def table(aws: Callable[[str], Lazy]) -> DynamoStore:
    aws("dynamodb")().create_table(
        TableName="retraining",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    return DynamoStore(aws("dynamodb"))


def test_state_survives_the_table(table: DynamoStore) -> None:
    assert table.load(NAME) == State(NAME)
    window = Window("w1", 1.0, 61.5, "severe", 2, ("a", "b"), "1.0.0")
    full = State(
        NAME,
        champion="c",
        windows=(window,),
        seen=("e1",),
        month="2027-01",
        run=RUN,
        approval=Approval("arn", "1.1.0", "run-1", "c", "better"),
        last_ended_at=4.5,
        outbox=(Message("notice", "subject", "text"),),
    )
    saved = table.save(full, [Entry("start", "It starts.", {"gain": 0.5}, "run-1")], Summary(RUN), now=10.0)
    assert (saved.version, saved.audit_count) == (1, 1)
    assert table.load(NAME) == saved


def test_only_one_of_two_writers_wins(table: DynamoStore) -> None:
    saved = table.save(State(NAME), now=1.0)
    with pytest.raises(ConflictError):
        table.save(State(NAME), now=1.0)
    table.save(saved, now=1.0)
    with pytest.raises(ConflictError):
        table.save(saved, [Entry("start", "twice")], now=1.0)
    assert table.load(NAME).audit_count == 0


def test_audit_and_runs_lie_beside_the_state(table: DynamoStore, aws: Callable[[str], Lazy]) -> None:
    entries = [Entry("start", "one", {"of": float("nan")}), Entry("outcome", "two", run="run-1")]
    summary = Summary(RUN, "registered", "It is better.", 60.0, {"version": "1.1.0", "gain": 0.05})
    table.save(State(NAME), entries, summary, now=0.0)
    found = aws("dynamodb")().scan(TableName="retraining")["Items"]
    assert sorted(item["sk"]["S"] for item in found) == ["AUDIT#00000001", "AUDIT#00000002", "RUN#run-1", "STATE"]
    assert {item["pk"]["S"] for item in found} == {"RETRAINING#rain-local"}
    (run,) = (item for item in found if item["sk"]["S"].startswith("RUN#"))
    assert (run["outcome"]["S"], run["version"]["S"], run["ended_at"]["S"]) == (
        "registered",
        "1.1.0",
        "1970-01-01T00:01:00Z",
    )


def test_settings_are_read(aws: Callable[[str], Lazy]) -> None:
    source = SsmSettings(aws("ssm"))
    assert source.load(NAME) is None
    for n in range(12):
        text = json.dumps({**TEXT, "endpoint": f"rain-{n}"})
        aws("ssm")().put_parameter(Name=contract.retraining_parameter("local", f"rain-{n}"), Value=text, Type="String")
    assert len(source.all()) == 12
    found = source.load("rain-3")
    assert found is not None
    assert found.on_drift == OnDrift(2, 2, 3)
    assert found.parameters == {"ImageUri": "repository/training:1", "MaxRuntimeSeconds": "1800"}
    assert found.bootstrap == Bootstrap("2.0.0", "s3://artefacts/b.json")
    assert (found.lookback_minutes, found.signing_key, found.least_gain) == (1440.0, None, 0.01)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"schema": 2}, "schema 2"),
        ({"approval": "maybe"}, "neither manual nor automatic"),
        ({"monthly_runs": "8"}, "monthly_runs of the retraining settings is '8'"),
        ({"on_drift": {"windows": 2}}, "severe_features is missing"),
        ({"bootstrap": 3}, "cannot be read"),
    ],
)
def test_settings_that_cannot_be_read_name_the_field(change: dict[str, Any], text: str) -> None:
    with pytest.raises(SettingsError, match=text):
        Settings.from_json(json.dumps({**TEXT, **change}))


def test_pipeline_is_started_under_its_token() -> None:
    sagemaker = Asked("sagemaker", start_pipeline_execution={"PipelineExecutionArn": "arn:execution"})
    token = "run-00001-0123456789abcdef01234567"
    assert SageMakerPipelines(sagemaker.lazy).start("rain", token, {"B": "2", "A": "1"}, "why") == "arn:execution"
    ((_, request),) = sagemaker.requests
    assert request["ClientRequestToken"] == request["PipelineExecutionDisplayName"] == token
    assert request["PipelineParameters"] == [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}]


def test_execution_is_found_by_its_name_on_any_page() -> None:
    pages = [
        {"PipelineExecutionSummaries": [{"PipelineExecutionArn": "arn:0"}], "NextToken": "more"},
        {"PipelineExecutionSummaries": [{"PipelineExecutionArn": "arn:1", "PipelineExecutionDisplayName": "run-1"}]},
    ]
    sagemaker = Asked("sagemaker", list_pipeline_executions=pages)
    assert SageMakerPipelines(sagemaker.lazy).find("rain", "run-1", 0.0) == "arn:1"
    empty = Asked("sagemaker", list_pipeline_executions={"PipelineExecutionSummaries": []})
    assert SageMakerPipelines(empty.lazy).find("rain", "run-1", 0.0) is None


def test_failure_is_told_by_the_steps_that_failed() -> None:
    steps = [
        {"StepName": "Prepare", "StepStatus": "Succeeded"},
        {"StepName": "Train", "StepStatus": "Failed", "FailureReason": "AlgorithmError: one class"},
        {"StepName": "Evaluate", "StepStatus": "Stopped"},
    ]
    sagemaker = Asked("sagemaker", list_pipeline_execution_steps={"PipelineExecutionSteps": steps})
    assert SageMakerPipelines(sagemaker.lazy).failure("arn") == (
        "the step Train is Failed: AlgorithmError: one class; the step Evaluate is Stopped"
    )


@pytest.mark.parametrize(
    ("job", "told"),
    [
        (
            {"ExitMessage": "unknown_labels: 500 labels are for no request"},
            "unknown_labels: 500 labels are for no request; ",
        ),
        ({}, ""),
        (error("AccessDeniedException"), ""),
    ],
)
def test_failure_of_a_processing_job_has_its_own_last_words(job: Any, told: str) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-abc-prepare-1"
    step = {"StepName": "Prepare", "StepStatus": "Failed", "FailureReason": "AlgorithmError: exit code: 1"}
    sagemaker = Asked(
        "sagemaker",
        list_pipeline_execution_steps={
            "PipelineExecutionSteps": [{**step, "Metadata": {"ProcessingJob": {"Arn": arn}}}]
        },
        describe_processing_job=job,
    )
    expected = f"the step Prepare is Failed: {told}AlgorithmError: exit code: 1"
    assert SageMakerPipelines(sagemaker.lazy).failure("arn") == expected


def test_execution_that_fails_without_a_step_says_why_itself() -> None:
    sagemaker = Asked(
        "sagemaker",
        list_pipeline_execution_steps={"PipelineExecutionSteps": []},
        describe_pipeline_execution={"FailureReason": "no capacity"},
    )
    assert SageMakerPipelines(sagemaker.lazy).failure("arn") == "no capacity"


def test_execution_that_is_gone_is_missing() -> None:
    sagemaker = Asked("sagemaker", describe_pipeline_execution=error("ResourceNotFound"))
    with pytest.raises(MissingError):
        SageMakerPipelines(sagemaker.lazy).status("arn")


def test_execution_that_has_ended_cannot_be_stopped_and_need_not_be() -> None:
    token = "run-00001-0123456789abcdef01234567-stop"
    SageMakerPipelines(Asked("sagemaker", stop_pipeline_execution=error("ValidationException")).lazy).stop("arn", token)
    denied = Asked("sagemaker", stop_pipeline_execution=error("AccessDeniedException"))
    with pytest.raises(PermanentError):
        SageMakerPipelines(denied.lazy).stop("arn", token)


def models(**package: Any) -> Asked:
    return Asked(
        "sagemaker",
        describe_endpoint_config={"ProductionVariants": [{"VariantName": "blue", "ModelName": "m"}]},
        describe_model={"PrimaryContainer": {"Image": "i", "ModelDataUrl": "s3://artefacts/1.0.0/model.tar.gz"}},
        describe_model_package=package,
    )


def test_champion_is_what_its_variant_runs() -> None:
    settings = Settings.from_json(json.dumps(TEXT))
    named = {"ModelDataQuality": {"Statistics": {"S3Uri": "s3://artefacts/named.json"}}}
    found = SageMakerModels(models(DriftCheckBaselines=named).lazy).of(CHAMPION, settings)
    assert (found.uri, found.baseline) == ("s3://artefacts/1.0.0/model.tar.gz", "s3://artefacts/named.json")
    beside = SageMakerModels(models().lazy).of(CHAMPION, settings)
    assert beside.baseline == "s3://artefacts/1.0.0/baseline.json"
    bootstrap = SageMakerModels(models().lazy).of(Champion("2.0.0", None, "config-1", "blue"), settings)
    assert bootstrap.baseline == "s3://artefacts/b.json"


@pytest.mark.parametrize(
    ("package", "status", "updates"),
    [
        ({"ModelApprovalStatus": "PendingManualApproval"}, "", 1),
        ({"ModelApprovalStatus": "Rejected"}, "Rejected", 0),
        ({"ModelApprovalStatus": "Approved", "ApprovalDescription": "somebody's"}, "Approved", 0),
        ({"ModelApprovalStatus": "Approved", "ApprovalDescription": "better"}, "", 0),
    ],
)
def test_only_what_waits_is_approved(package: dict[str, str], status: str, updates: int) -> None:
    sagemaker = models(**package, CustomerMetadataProperties={contract.PACKAGE_RUN_KEY: "run-1"})
    arn = "arn:aws:sagemaker:us-east-1:111122223333:model-package/rain-local/2"
    assert SageMakerModels(sagemaker.lazy).approve(arn, "run-1", "better") == status
    sent = [request for operation, request in sagemaker.requests if operation == "UpdateModelPackage"]
    assert len(sent) == updates
    assert all(each["ApprovalDescription"] == "better" for each in sent)


@pytest.mark.parametrize(
    ("metadata", "named"),
    [({contract.PACKAGE_RUN_KEY: "run-2"}, "run-2"), ({}, "no run"), (None, "no run")],
)
def test_package_that_the_run_did_not_register_is_not_approved(metadata: dict[str, str] | None, named: str) -> None:
    of_others = {} if metadata is None else {"CustomerMetadataProperties": metadata}
    sagemaker = models(ModelApprovalStatus="PendingManualApproval", **of_others)
    arn = "arn:aws:sagemaker:us-east-1:111122223333:model-package/rain-local/2"
    with pytest.raises(PermanentError, match=f"was not registered by run-1: its metadata name {named}"):
        SageMakerModels(sagemaker.lazy).approve(arn, "run-1", "better")
    assert "UpdateModelPackage" not in [operation for operation, _ in sagemaker.requests]


def test_event_that_the_bus_refuses_is_sent_again() -> None:
    taken = Asked("events", put_events={"FailedEntryCount": 0})
    EventBridge(RETRAINING_EVENT_SOURCE, RETRAINING_DETAIL_TYPE, taken.lazy).put("{}")
    (entry,) = taken.requests[0][1]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("tidegate.retraining", "Tidegate Retraining")
    refused = Asked("events", put_events={"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with pytest.raises(RetryableError, match="InternalFailure"):
        EventBridge(RETRAINING_EVENT_SOURCE, RETRAINING_DETAIL_TYPE, refused.lazy).put("{}")


def moment(hour: int) -> float:
    return datetime(2027, 1, 15, hour, 30, tzinfo=UTC).timestamp()


def test_manifest_lists_the_hours_of_a_time(aws: Callable[[str], Lazy], monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = aws("s3")()
    s3.create_bucket(Bucket=BUCKET)
    # SageMaker writes the endpoint's name below the folder that it is given.
    for variant in (f"{NAME}/blue", "container"):
        for at in ("14/23", "15/00", "15/01", "15/02", "15/03"):
            s3.put_object(Bucket=BUCKET, Key=f"capture/{NAME}/{variant}/2027/01/{at}/a.jsonl", Body=b"line")
    s3.put_object(Bucket=BUCKET, Key=f"capture/{NAME}/blue/odd.txt", Body=b"line")
    s3.put_object(Bucket=BUCKET, Key="capture/rain-local-2/blue/2027/01/15/01/a.jsonl", Body=b"line")
    files = S3Files(aws("s3"))
    found = manifests.captures(files, BUCKET, NAME, moment(0) - 3600, moment(2))
    assert [key.removeprefix(f"capture/{NAME}/") for key in found.keys] == [
        f"{variant}/2027/01/{at}/a.jsonl"
        for at in ("14/23", "15/00", "15/01", "15/02")
        for variant in ("container", f"{NAME}/blue")
    ]
    assert (found.size, found.cut) == (32, False)
    assert json.loads(found.content)[0] == {"prefix": "s3://artefacts/"}
    monkeypatch.setattr(manifests, "MOST_OBJECTS", 3)
    cut = manifests.captures(files, BUCKET, NAME, moment(0) - 3600, moment(2))
    assert [key.split("/")[-2] for key in cut.keys] == ["01", "02", "02"]
    assert "older ones were left out because 3 are the most" in cut.said("captures")
    assert manifests.labels(files, BUCKET, NAME, moment(0), moment(2)).keys == ()


def test_file_is_read_whole_or_refused(aws: Callable[[str], Lazy]) -> None:
    s3 = aws("s3")()
    s3.create_bucket(Bucket=BUCKET)
    most = 1024 * 1024
    s3.put_object(Bucket=BUCKET, Key="whole", Body=b"x" * most)
    s3.put_object(Bucket=BUCKET, Key="larger", Body=b"x" * (most + 1))
    files = S3Files(aws("s3"))
    assert files.read(BUCKET, "whole") == b"x" * most
    refusal = (
        "s3://artefacts/larger has more than 1,048,576 bytes, the most that is read of it: look at what put it there"
    )
    with pytest.raises(TooLargeError, match=refusal):
        files.read(BUCKET, "larger")
    with pytest.raises(MissingError, match="s3://artefacts/none is not there"):
        files.read(BUCKET, "none")


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"./{name}.json")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_artefact_is_read_through_copied_and_written_once(aws: Callable[[str], Lazy]) -> None:
    import hashlib

    s3 = aws("s3")()
    s3.create_bucket(Bucket=BUCKET)
    content = packed(model=b"x" * 100_000, baseline=b"{}") + b"trailing"
    s3.put_object(Bucket=BUCKET, Key="a/model.tar.gz", Body=content)
    artefacts = S3Artefacts(aws("s3"))
    found = artefacts.unpack(f"s3://{BUCKET}/a/model.tar.gz", ("baseline.json",))
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert found.files == {"baseline.json": b"{}"}
    artefacts.copy(f"s3://{BUCKET}/a/model.tar.gz", f"s3://{BUCKET}/b/model.tar.gz", found.sha256)
    head = s3.head_object(Bucket=BUCKET, Key="b/model.tar.gz", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"], "admission need not read it through"
    with pytest.raises(PermanentError, match="it was changed meanwhile"):
        artefacts.copy(f"s3://{BUCKET}/a/model.tar.gz", f"s3://{BUCKET}/b/model.tar.gz", "0" * 64)
    assert artefacts.write_once(f"s3://{BUCKET}/o.json", b"first", "application/json") == b"first"
    assert artefacts.write_once(f"s3://{BUCKET}/o.json", b"second", "application/json") == b"first"
    with pytest.raises(MissingError):
        artefacts.read(f"s3://{BUCKET}/none")


def test_archive_that_is_none_is_named(aws: Callable[[str], Lazy]) -> None:
    s3 = aws("s3")()
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"no archive")
    with pytest.raises(PermanentError, match="is no model archive"):
        S3Artefacts(aws("s3")).unpack(f"s3://{BUCKET}/a", ())


def test_events_are_read() -> None:
    drift = {
        "endpoint": NAME,
        "window": "2027-01-15T08:00Z",
        "start": "2027-01-15T08:00:00Z",
        "end": "2027-01-15T08:01:00Z",
        "severity": "severe",
        "drifted": ["a", "b", "c"],
        "severe": ["a", "b"],
        "model_version": "1.0.0",
    }
    name, said = read_event({"source": "tidegate.monitoring", "detail": drift}) or ("", None)
    assert name == NAME
    assert said == Drifted(
        Window("2027-01-15T08:00Z", 1_800_000_000.0, 1_800_000_060.0, "severe", 2, ("a", "b"), "1.0.0")
    )
    at = "2027-01-15T08:00:00Z"
    labels = {"bucket": {"name": BUCKET}, "object": {"key": f"labels/{NAME}/2027/01/15/08/x.jsonl"}}
    event = {"source": "aws.s3", "id": "e1", "time": at, "detail": labels}
    assert read_event(event) == (NAME, DataCame("e1", 1_800_000_000.0, labels["object"]["key"]))
    for key in (f"capture/{NAME}/x", "labels", f"labels/{NAME}"):
        assert read_event({**event, "detail": {"object": {"key": key}}}) is None
    order = {"endpoint": NAME, "command": "start", "by": "anna", "reason": "r" * 600}
    found = read_event({"source": "tidegate.operator", "id": "e2", "time": at, "detail": order})
    assert found == (NAME, Ordered("e2", "start", "anna", 1_800_000_000.0, "r" * 500))
    assert read_event({"source": "somebody", "detail": {}}) is None


def test_pipeline_of_an_execution_s_event() -> None:
    arn = "arn:aws:sagemaker:us-east-1:111122223333:pipeline/tidegate-rain/execution/abc"
    assert pipeline_of({"source": "aws.sagemaker", "detail": {"pipelineExecutionArn": arn}}) == "tidegate-rain"
    assert pipeline_of({"source": "aws.s3", "detail": {}}) is None
