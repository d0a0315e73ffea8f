"""Requests as AWS's API takes them, and what AWS answers in the monitor's terms."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters
from moto import mock_aws

from lambdas import contract
from lambdas.monitoring.adapters.cloudwatch import CloudWatchMetrics
from lambdas.monitoring.adapters.dynamodb import DynamoRecords
from lambdas.monitoring.adapters.events import EventBridge
from lambdas.monitoring.adapters.jobs import ProcessingJobs
from lambdas.monitoring.adapters.s3 import S3Files, split_uri
from lambdas.monitoring.adapters.ssm import SsmSettings
from lambdas.monitoring.adapters.versions import RecordedVersions
from lambdas.monitoring.errors import ConflictError, MissingError, PermanentError, RetryableError, SettingsError
from lambdas.monitoring.ports import Cursor, Datum, JobOrder, JobView
from lambdas.monitoring.settings import Settings
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.state import Past, State

ENDPOINT, BUCKET, ROLLOUTS, TABLE = "rain-test", "artefacts", "tidegate-test-rollouts", "tidegate-test-monitoring"
SETTINGS = {
    "endpoint": ENDPOINT,
    "bucket": BUCKET,
    "window_minutes": 60,
    "delay_minutes": 10,
    "label_delay_windows": 24,
    "slices": ["wind"],
    "outputs": {"probability": "probability", "prediction": "rain", "threshold": 0.5},
    "baseline_max_age_days": 365,
    "small_window_megabytes": 64,
    "floors": {"moderate": 0.02, "severe": 0.1},
    "bootstrap_baseline": None,
    "bootstrap_version": "1.0.0",
    "job": {"image": "image", "role": "arn:aws:iam::111122223333:role/count", "instance_type": "ml.m5.large",
            "volume_gb": 30},
}  # fmt: skip


FLEET = Fleet(
    image="serving:1",
    instance_type="ml.m5.large",
    min_instances=1,
    max_instances=1,
    target_invocations_per_instance=None,
    inference_ami_version=None,
    capture=Capture(True, 100, "s3://artefacts/capture"),
    startup_timeout_seconds=600,
    download_timeout_seconds=600,
    metrics_period_seconds=10,
    network_isolation=True,
)


class FakeClient:
    """A client that checks requests against the API's model, and answers what the test wants."""

    def __init__(self, service: str, **answers: Any) -> None:
        self._model = botocore.session.get_session().get_service_model(service)
        self._answers = answers
        self.requests: list[dict[str, Any]] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        operation = "".join(word.capitalize() for word in method.split("_"))
        shape: Any = self._model.operation_model(operation).input_shape

        def call(**request: Any) -> Any:
            validate_parameters(request, shape)
            self.requests.append(request)
            answer = self._answers.get(method, {})
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    @property
    def lazy(self) -> Lazy:
        return Lazy("fake", lambda service: self)


def refusal(code: str, message: str = "") -> ClientError:
    said: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(said, "Operation")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Lazy]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv(contract.ENV_MONITORING_TABLE, TABLE)
    monkeypatch.setenv(contract.ENV_TABLE, ROLLOUTS)
    monkeypatch.setenv(contract.ENV_ENVIRONMENT, "test")
    with mock_aws():
        clients: dict[str, Any] = {
            name: boto3.client(name, region_name="us-east-1") for name in ("s3", "dynamodb", "ssm")
        }
        clients["s3"].create_bucket(Bucket=BUCKET)
        for table in (TABLE, ROLLOUTS):
            clients["dynamodb"].create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            )
        yield lambda service: Lazy(service, lambda name: clients[name])


def test_cursor_moves_only_from_where_it_was_read(aws: Any) -> None:
    records = DynamoRecords(aws("dynamodb"))
    assert records.cursor(ENDPOINT) is None
    first = records.move(ENDPOINT, Cursor(60, 60))
    assert (first, records.cursor(ENDPOINT)) == (Cursor(60, 60, 1), first)
    second = records.move(ENDPOINT, replace(first, next=120))
    with pytest.raises(ConflictError):
        records.move(ENDPOINT, replace(first, next=180))
    with pytest.raises(ConflictError):
        records.move(ENDPOINT, Cursor(0, 0))
    assert records.cursor(ENDPOINT) == second == Cursor(120, 60, 2)
    # The client's own repetition of a call that had been carried out is no conflict.
    assert records.move(ENDPOINT, replace(first, next=120)) == second


def test_windows_are_recorded_and_found_in_order(aws: Any) -> None:
    records = DynamoRecords(aws("dynamodb"))
    records.move(ENDPOINT, Cursor(0, 0))
    for number in range(5):
        records.put_window(ENDPOINT, f"20261122T0{number}0000Z", {"number": number, "psi": {"a": 0.125}})
    records.put_window("other", "20261122T000000Z", {"number": 99})
    assert records.window(ENDPOINT, "20261122T010000Z") is not None
    assert records.window(ENDPOINT, "20261122T090000Z") is None
    found = records.before(ENDPOINT, "20261122T030000Z", 2)
    assert [(each["number"], each["psi"]["a"]) for each in found] == [(1, 0.125), (2, 0.125)]
    assert [each["number"] for each in records.before(ENDPOINT, "20261122T060000Z", 2)] == [3, 4]


def test_windows_are_found_across_pages_of_a_megabyte(aws: Any) -> None:
    records = DynamoRecords(aws("dynamodb"))
    for number in range(8):
        records.put_window(ENDPOINT, f"20261122T0{number}0000Z", {"number": number, "text": "x" * 380_000})
    first = records.before(ENDPOINT, "20261122T070000Z", 6)
    assert [each["number"] for each in first] == [1, 2, 3, 4, 5, 6]
    assert [each["number"] for each in records.before(ENDPOINT, "20261122T020000Z", 6)] == [0, 1]


def test_files_are_listed_read_in_pieces_and_unpacked(aws: Any) -> None:
    files = S3Files(aws("s3"))
    packed = gzip.compress(b"a\n" * 1_500_000) + gzip.compress(b"end\n")
    for key, body in {"c/x/blue/1": b"one", "c/x/green/2.gz": packed, "c/x/green/3.gz": packed[:500]}.items():
        assert files.write(BUCKET, key, body, "text/plain") == f"s3://{BUCKET}/{key}"
    assert files.folders(BUCKET, "c/x/") == ["c/x/blue/", "c/x/green/"]
    [stored] = files.below(BUCKET, "c/x/blue/")
    assert (stored.key, stored.size) == ("c/x/blue/1", 3)
    assert abs(stored.modified_at - datetime.now(UTC).timestamp()) < 3600
    pieces = list(files.pieces(BUCKET, "c/x/green/2.gz"))
    assert b"".join(pieces) == b"a\n" * 1_500_000 + b"end\n"
    assert max(map(len, pieces)) <= 1024 * 1024
    assert b"".join(files.pieces(BUCKET, "c/x/green/3.gz")).startswith(b"a\n")
    with pytest.raises(MissingError):
        list(files.pieces(BUCKET, "c/x/blue/none"))
    assert (files.read(f"s3://{BUCKET}/c/x/blue/1"), files.read(f"s3://{BUCKET}/none")) == (b"one", None)


def test_what_is_no_archive_is_a_broken_line(aws: Any) -> None:
    files = S3Files(aws("s3"))
    files.write(BUCKET, "x.gz", b"no archive", "text/plain")
    assert b"".join(files.pieces(BUCKET, "x.gz")).split() == [b"{"]


@pytest.mark.parametrize("uri", ["", "s3://", "s3://bucket", "https://x/y"])
def test_what_is_no_uri_is_named(uri: str) -> None:
    with pytest.raises(PermanentError, match="s3://<bucket>/<key>"):
        split_uri(uri)


def test_settings_are_read_from_their_parameter(aws: Any) -> None:
    aws("ssm")().put_parameter(
        Name=contract.monitoring_parameter("test", ENDPOINT), Value=json.dumps(SETTINGS), Type="String"
    )
    settings = SsmSettings(aws("ssm")).load(ENDPOINT)
    assert (settings.window_seconds, settings.delay_seconds, settings.small_window_bytes) == (3600, 600, 64_000_000)
    assert settings.job is not None
    assert settings.outputs is not None
    with pytest.raises(PermanentError, match="ParameterNotFound"):
        SsmSettings(aws("ssm")).load("other")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window_minutes", 0),
        ("window_minutes", True),
        ("delay_minutes", "1"),
        ("slices", "wind"),
        ("job", {"image": ""}),
        ("floors", {"moderate": 0.2, "severe": 0.1}),
        ("outputs", []),
        ("bucket", None),
        ("endpoint", ""),
    ],
)
def test_settings_that_cannot_be_used_name_the_field(field: str, value: Any) -> None:
    with pytest.raises(SettingsError, match="image" if field == "job" else field):
        Settings.from_json(json.dumps({**SETTINGS, field: value}))


@pytest.mark.parametrize(
    "field", [name for name in SETTINGS if name not in ("outputs", "job", "slices", "bootstrap_baseline")]
)
def test_settings_that_are_missing_are_named(field: str) -> None:
    broken = json.dumps({name: each for name, each in SETTINGS.items() if name != field})
    with pytest.raises(SettingsError, match=f"{field} is missing"):
        Settings.from_json(broken)


def test_versions_come_from_the_rollout_table(aws: Any) -> None:
    versions = RecordedVersions(aws("dynamodb"), aws("s3"))
    assert versions.timeline(ENDPOINT) is None
    state = State.first(ENDPOINT, "config", FLEET)
    past = Past("1.0.0", None, "config", "green", until=1000.0)
    DynamoStore(aws("dynamodb")).save(replace(state, past=(past,)), now=0)
    timeline = versions.timeline(ENDPOINT)
    assert timeline is not None
    assert [(each.version, each.slot, each.until) for each in timeline.lives] == [
        ("1.0.0", "green", 1000.0),
        ("bootstrap", "blue", None),
    ]


def test_baselines_lie_where_the_package_says_or_beside_its_model(aws: Any) -> None:
    package = {
        "CreationTime": datetime(2026, 11, 1, tzinfo=UTC),
        "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://artefacts/rain/1/sha/model.tar.gz"}]},
    }
    checks = {
        "ModelDataQuality": {
            "Statistics": {"ContentType": "application/json", "S3Uri": "s3://artefacts/statistics.json"},
            "Constraints": {"ContentType": "application/json", "S3Uri": "s3://artefacts/constraints.json"},
        }
    }
    sagemaker = FakeClient("sagemaker", describe_model_package=package)
    beside = "s3://artefacts/rain/1/sha/baseline.json"
    assert RecordedVersions(aws("dynamodb"), sagemaker.lazy).baselines("arn").candidates == (beside,)
    sagemaker = FakeClient("sagemaker", describe_model_package={**package, "DriftCheckBaselines": checks})
    found = RecordedVersions(aws("dynamodb"), sagemaker.lazy).baselines("arn")
    assert found.candidates == ("s3://artefacts/statistics.json", beside)
    assert found.constraints == {"s3://artefacts/statistics.json": "s3://artefacts/constraints.json"}
    assert found.created_at == "2026-11-01T00:00:00Z"


def order() -> JobOrder:
    inputs = {"captures": "s3://artefacts/a.manifest", "request": "s3://artefacts/request.json"}
    return JobOrder("drift-1", ("job",), inputs, frozenset({"captures"}), "s3://artefacts/out/", {"a": "b"})


def job_settings() -> Any:
    given: dict[str, Any] = {**SETTINGS["job"], "kms_key": "key", "subnets": ["subnet-1"], "security_groups": ["sg-1"]}  # type: ignore[dict-item]
    return Settings.from_json(json.dumps({**SETTINGS, "job": given}))


def test_a_job_is_a_valid_request_and_one_that_is_there_is_success() -> None:
    sagemaker = FakeClient("sagemaker")
    ProcessingJobs(sagemaker.lazy).start(order(), job_settings())
    [request] = sagemaker.requests
    kinds = {each["InputName"]: each["S3Input"]["S3DataType"] for each in request["ProcessingInputs"]}
    assert kinds == {"captures": "ManifestFile", "request": "S3Prefix"}
    assert request["NetworkConfig"]["VpcConfig"]["Subnets"] == ["subnet-1"]
    for there in (refusal("ResourceInUse", "x"), refusal("ValidationException", "Job name already exists")):
        ProcessingJobs(FakeClient("sagemaker", create_processing_job=there).lazy).start(order(), job_settings())
    denied = ProcessingJobs(FakeClient("sagemaker", create_processing_job=refusal("AccessDeniedException")).lazy)
    with pytest.raises(PermanentError):
        denied.start(order(), job_settings())


def test_a_job_is_looked_at() -> None:
    failed = {"ProcessingJobStatus": "Failed", "FailureReason": "AlgorithmError", "ExitMessage": "no request.json"}
    found = ProcessingJobs(FakeClient("sagemaker", describe_processing_job=failed).lazy).look("drift-1")
    assert found == JobView("Failed", "AlgorithmError; no request.json")
    for gone in (refusal("ResourceNotFound"), refusal("ValidationException", "Could not find requested job")):
        assert ProcessingJobs(FakeClient("sagemaker", describe_processing_job=gone).lazy).look("x") is None


def test_metrics_are_valid_requests_in_bounded_calls() -> None:
    cloudwatch = FakeClient("cloudwatch")
    data = [Datum("PSI", 0.5, feature=f"größe {number}") for number in range(700)]
    CloudWatchMetrics(cloudwatch.lazy).put(ENDPOINT, 0.0, [*data, Datum("WindowRows", 5, "Count")])
    assert [len(request["MetricData"]) for request in cloudwatch.requests] == [500, 201]
    first = cloudwatch.requests[0]["MetricData"][0]
    assert first["Dimensions"] == [{"Name": "Endpoint", "Value": ENDPOINT}, {"Name": "Feature", "Value": "gr??e 0"}]


def test_an_event_that_the_bus_refuses_is_sent_again() -> None:
    events = FakeClient("events", put_events={"FailedEntryCount": 0})
    EventBridge(events.lazy).put("Tidegate Drift Window", {"a": 1}, 0.0)
    [entry] = events.requests[0]["Entries"]
    assert (entry["Source"], json.loads(entry["Detail"])) == ("tidegate.monitoring", {"a": 1})
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "later"}]}
    with pytest.raises(RetryableError, match="InternalFailure"):
        EventBridge(FakeClient("events", put_events=refused).lazy).put("x", {}, 0.0)
