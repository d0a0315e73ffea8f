"""What SageMaker captures and what the container captures itself is counted alike: the real template, a real server."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from lambdas.monitoring.capture.counting import count_file
from lambdas.monitoring.capture.reading import Reading
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.window import WindowCounts
from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings
from model_containers.training import replay
from stacks.bundling import bundle_functions
from stacks.config import ROOT, Endpoint, Environment
from stacks.synth import app_context, use_bundled_node

PATIENCE_SECONDS = 60.0
NAME = "rain-local"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1"
BOOTSTRAP = ROOT / "model_containers" / "bootstrap" / "rain"
REQUESTS = 12
SETTINGS = PhysicsSettings(
    create_seconds=0.1, capture_flush_seconds=0.3, stream_buffer_limit_seconds=0.5, stream_retry_seconds=0.2
)


@pytest.fixture(scope="module")
def endpoint(environment: Environment) -> Endpoint:
    (rain,) = environment.endpoints
    return replace(rain, fleet=replace(rain.fleet, capture="container"))


@pytest.fixture(scope="module")
def cloud(
    environment: Environment, endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalCloud]:
    """A cloud with the registry's stack of an environment whose container captures."""
    from aws_cdk import App  # takes seconds, so only where templates are needed

    from stacks.registry_stack import RegistryStack

    use_bundled_node()
    folder = tmp_path_factory.mktemp("container-capture")
    app = App(context=app_context("local"), outdir=str(folder / "assembly"))
    changed = replace(environment, endpoints=(endpoint,))
    RegistryStack(app, "Registry", environment=changed, functions=bundle_functions(ROOT))
    app.synth()
    with LocalCloud(work_dir=folder / "cloud", settings=SETTINGS) as running:
        running.deployer.deploy(folder / "assembly")
        yield running


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.1)


def serve(cloud: LocalCloud, bucket: str, variables: dict[str, str]) -> None:
    """Make an endpoint that is captured both ways."""
    cloud.images.register(IMAGE, ROOT / "model_containers" / "serving", "Dockerfile.cpu")
    archive = f"{NAME}/1.0.0/model.tar.gz"
    cloud.client("s3").upload_file(str(BOOTSTRAP / "model.tar.gz"), bucket, archive)
    (role,) = [each["Arn"] for each in cloud.client("iam").list_roles()["Roles"] if each["RoleName"].endswith("exec")]
    sagemaker = cloud.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{bucket}/{archive}", "Environment": variables}
    sagemaker.create_model(ModelName=NAME, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "blue", "ModelName": NAME, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(
        EndpointConfigName=NAME,
        ProductionVariants=[variant],
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{bucket}/capture/{NAME}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
        },
    )
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    until(lambda: sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] == "InService")


def ask(cloud: LocalCloud) -> None:
    """Send requests of both formats, with ids and without."""
    runtime, names = cloud.client("sagemaker-runtime"), list(baseline().columns)
    for number, row in enumerate(replay.rows(9_000, 9_000 + REQUESTS)):
        name = f"request-{number}"
        named = {"InferenceId": name, "CustomAttributes": f"inference-id={name}"} if number % 2 else {}
        record = dict(zip(names, map(float, row.split(",")), strict=True))
        body, kind = (json.dumps({"instances": [record]}), "application/json") if number % 3 else (row, "text/csv")
        runtime.invoke_endpoint(EndpointName=NAME, ContentType=kind, Accept=kind, Body=body, **named)


def baseline() -> Baseline:
    return Baseline.from_json(json.loads((BOOTSTRAP / "baseline.json").read_text()))


def counted(cloud: LocalCloud, bucket: str, prefix: str) -> tuple[WindowCounts, list[str]]:
    """Return what the monitor counts of the files below a prefix, and the ids of the requests."""
    s3, known, seen = cloud.client("s3"), baseline(), list[str]()
    into = WindowCounts.of(known, NAME, "2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z")
    for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []):
        lines = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read().splitlines()
        where = each["Key"].removeprefix("capture/")
        count_file(filter(None, lines), where, into, Reading(known, 0.0, 4e9, see=seen.append))
    return into, seen


def essence(counts: WindowCounts) -> dict[str, Any]:
    """Return what is the same whichever way a request came, and in whichever order."""
    columns = {name: tally.to_json()["counts"] for name, tally in (counts.columns | counts.outputs).items()}
    return {"rows": counts.rows, "variants": dict(counts.variants), "columns": columns}


def test_the_monitor_counts_the_same_rows_from_both_sources(cloud: LocalCloud, endpoint: Endpoint) -> None:
    (bucket,) = [each["Name"] for each in cloud.client("s3").list_buckets()["Buckets"] if "-artefacts-" in each["Name"]]
    serve(cloud, bucket, {**endpoint.fleet.capture_variables, "TIDEGATE_CAPTURE_VARIANT": "blue"})
    ask(cloud)

    ways = {"container": f"capture/{NAME}/container/", "sagemaker": f"capture/{NAME}/{NAME}/blue/"}
    until(lambda: all(counted(cloud, bucket, way)[0].rows == REQUESTS for way in ways.values()))
    (own, own_ids), (theirs, their_ids) = (counted(cloud, bucket, way) for way in ways.values())
    assert essence(own) == essence(theirs)
    assert essence(own)["variants"] == {"blue": REQUESTS}
    assert not own.malformed
    assert not theirs.malformed
    named = {f"request-{number}" for number in range(1, REQUESTS, 2)}
    assert named <= set(own_ids)
    assert named <= set(their_ids)
    assert len(set(own_ids)) == REQUESTS
    assert not cloud.client("s3").list_objects_v2(Bucket=bucket, Prefix="capture-errors/").get("Contents")


def test_the_stack_goes_and_leaves_nothing(cloud: LocalCloud) -> None:
    sagemaker = cloud.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=NAME)
    cloud.deployer.destroy(["Registry"])
    assert cloud.client("firehose").list_delivery_streams()["DeliveryStreamNames"] == []
    assert not [each for each in cloud.client("s3").list_buckets()["Buckets"] if "artefacts" in each["Name"]]
