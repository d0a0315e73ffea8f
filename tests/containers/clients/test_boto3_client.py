"""boto3's sagemaker-runtime, by way of localcloud's InvokeEndpoint, against the real container."""

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings
from model_containers.training import replay
from tests.containers.conftest import CONTEXT

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1"
ENDPOINT = "rain"
LINES = replay.rows(8_000, 8_003)
ROWS = np.array([[float(cell) for cell in line.split(",")] for line in LINES])
TENSOR = "measurements"
TRITON = "application/vnd.sagemaker-triton.binary+json;json-header-size="
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def cloud(models) -> Iterator[LocalCloud]:
    settings = PhysicsSettings(create_seconds=0.1, ping_seconds=0.05, metric_delay_seconds=0.1)
    with LocalCloud(settings=settings) as cloud:
        cloud.images.register(IMAGE, CONTEXT, "Dockerfile.cpu")
        cloud.client("s3").create_bucket(Bucket="models")
        archive = (models / "1.0.0" / "model.tar.gz").read_bytes()
        cloud.client("s3").put_object(Bucket="models", Key="model.tar.gz", Body=archive)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        role = cloud.client("iam").create_role(RoleName="serving", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
        sagemaker = cloud.client("sagemaker")
        container = {"Image": IMAGE, "ModelDataUrl": "s3://models/model.tar.gz"}
        sagemaker.create_model(ModelName="rain", ExecutionRoleArn=role, PrimaryContainer=container)
        variant = {"VariantName": "blue", "ModelName": "rain", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        sagemaker.create_endpoint_config(EndpointConfigName="rain", ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName="rain")
        sagemaker.get_waiter("endpoint_in_service").wait(
            EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        yield cloud


@pytest.fixture(scope="module")
def client(cloud) -> Any:
    keys = {name: cloud.environment[f"AWS_{name.upper()}"] for name in ("access_key_id", "secret_access_key")}
    session: Any = boto3.Session(
        keys["access_key_id"], keys["secret_access_key"], region_name=cloud.environment["AWS_REGION"]
    )
    once = Config(retries={"total_max_attempts": 1})
    return session.client("sagemaker-runtime", endpoint_url=cloud.endpoint_url, config=once)


def npy(array: np.ndarray) -> bytes:
    written = io.BytesIO()
    np.save(written, array)
    return written.getvalue()


def triton() -> tuple[str, bytes]:
    data = ROWS.astype("<f8").tobytes()
    tensor = {"shape": [3, 8], "datatype": "FP64", "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"inputs": [{"name": TENSOR, **tensor}]}).encode()
    return f"{TRITON}{len(head)}", head + data


def invoke(client: Any, content_type: str, body: bytes, accept: str = "application/json", **more: str) -> Any:
    answer = client.invoke_endpoint(EndpointName=ENDPOINT, ContentType=content_type, Accept=accept, Body=body, **more)
    return answer, answer["Body"].read()


@pytest.fixture(scope="module")
def expected(client) -> list[dict[str, float]]:
    return json.loads(invoke(client, "text/csv", "\n".join(LINES).encode())[1])["predictions"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps({"instances": ROWS.tolist()}).encode()),
        ("application/jsonlines", b"\n".join(json.dumps(row).encode() for row in ROWS.tolist())),
        ("application/x-npy", npy(ROWS)),
    ],
)
def test_every_format_gets_the_same_answer(client, expected, content_type, body):
    answer, given = invoke(client, content_type, body)

    assert len(expected) == len(LINES)
    assert json.loads(given)["predictions"] == expected
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "blue"


@pytest.mark.parametrize("accept", ["text/csv", "application/x-npy", "application/jsonlines"])
def test_the_answer_comes_in_the_format_asked_for(client, expected, accept):
    answer, given = invoke(client, "text/csv", "\n".join(LINES).encode(), accept)

    assert answer["ContentType"] == accept
    if accept == "application/x-npy":
        rows = np.load(io.BytesIO(given), allow_pickle=False)
        first = rows["probability"] if rows.dtype.names else rows[:, 0]
    elif accept == "text/csv":
        first = [float(line.split(",")[0]) for line in given.decode().splitlines()]
    else:
        first = [json.loads(line)["probability"] for line in given.splitlines()]
    np.testing.assert_allclose(first, [each["probability"] for each in expected], rtol=1e-6)


def test_tritons_binary_type_for_sagemaker_is_understood(client, expected):
    content_type, body = triton()

    answer, given = invoke(client, content_type, body)

    assert [each["name"] for each in json.loads(given)["outputs"]] == ["probability", "rain"]
    probabilities = json.loads(given)["outputs"][0]["data"]
    np.testing.assert_allclose(probabilities, [each["probability"] for each in expected], atol=1e-4)
    assert answer["ContentType"] == "application/json"


def test_custom_attributes_come_back(client):
    answer, _ = invoke(client, "text/csv", LINES[0].encode(), CustomAttributes="trace=1", InferenceId="mine")

    assert answer["CustomAttributes"] == "trace=1"


@pytest.mark.parametrize(
    ("content_type", "body", "status", "words"),
    [
        ("text/csv", b"1,2,3", 400, "3"),
        ("text/csv", f"{LINES[0]}\nx,1,2,3,4,5,6,7".encode(), 400, "row 2, column 'temperature'"),
        ("image/png", b"\x89PNG", 415, "image/png"),
        ("text/csv", b"\n".join([LINES[0].encode()] * 10_001), 413, "batch transform"),
    ],
)
def test_a_refusal_reaches_the_caller_with_its_status_and_words(client, content_type, body, status, words):
    with pytest.raises(ClientError) as error:
        invoke(client, content_type, body)

    assert error.value.response["Error"]["Code"] == "ModelError"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert error.value.response["OriginalStatusCode"] == status
    assert words in error.value.response["OriginalMessage"]


def test_a_body_of_megabytes_goes_through(client):
    rows = "\n".join([LINES[0]] * 10_000).encode()
    padded = rows + b"\n" * 5_000_000

    assert len(json.loads(invoke(client, "text/csv", rows)[1])["predictions"]) == 10_000
    with pytest.raises(ClientError, match="413"):
        invoke(client, "text/csv", padded)
