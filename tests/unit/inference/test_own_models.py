"""A model of one's own is made as another one says, and is there whatever becomes of that one."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas.inference.adapters.own_models import OwnModels
from lambdas.inference.batch import items
from lambdas.inference.batch.state import Model, Run, State, Wish
from lambdas.inference.own_model import creation, description
from lambdas.rollout.adapters.attributes import decode, encode
from lambdas.rollout.adapters.clients import Lazy

ROLE = "arn:aws:iam::123456789012:role/endpoint"
LIVE = {
    "ModelName": "rain-1-abc",
    "PrimaryContainer": {
        "Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serving:1",
        "Mode": "SingleModel",
        "ModelDataUrl": "s3://artefacts/models/rain/model.tar.gz",
        "Environment": {"THREADS": "2"},
    },
    "ExecutionRoleArn": ROLE,
    "EnableNetworkIsolation": True,
    "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
}


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("sagemaker", region_name="us-east-1")


@pytest.fixture
def models(sagemaker: Any) -> OwnModels:
    return OwnModels(Lazy("sagemaker", lambda service: sagemaker))


def test_it_is_what_it_was_made_of_and_outlives_it(sagemaker: Any, models: OwnModels) -> None:
    sagemaker.create_model(**LIVE)
    described = json.loads(json.dumps(description(sagemaker.describe_model(ModelName="rain-1-abc"))))
    sagemaker.delete_model(ModelName="rain-1-abc")
    for _ in range(2):
        models.make("batch-rain-1", described)
    found = sagemaker.describe_model(ModelName="batch-rain-1")
    assert described["EnableNetworkIsolation"] is not None, "which moto forgets"
    for name in ("ExecutionRoleArn", "VpcConfig"):
        assert found[name] == LIVE[name], name
    assert LIVE["PrimaryContainer"].items() <= found["PrimaryContainer"].items()  # type: ignore[attr-defined]


def test_what_is_removed_twice_is_removed(sagemaker: Any, models: OwnModels) -> None:
    sagemaker.create_model(**LIVE)
    models.make("batch-rain-1", description(sagemaker.describe_model(ModelName="rain-1-abc")))
    for _ in range(2):
        models.remove("batch-rain-1")
    assert [each["ModelName"] for each in sagemaker.list_models()["Models"]] == ["rain-1-abc"]


def test_an_archive_that_is_shown_under_both_names_is_given_under_one() -> None:
    source = {"S3DataSource": {"S3Uri": "s3://artefacts/models/rain/model.tar.gz"}}
    shown = {**LIVE, "PrimaryContainer": {**LIVE["PrimaryContainer"], "ModelDataSource": source}}  # type: ignore[dict-item]
    made = creation("own", description({**shown, "ModelArn": "arn", "CreationTime": 1, "ResponseMetadata": {}}))
    assert made == {**LIVE, "ModelName": "own"}


def test_it_captures_nothing() -> None:
    environment = {"THREADS": "2", "TIDEGATE_CAPTURE_SAMPLING_PERCENT": "10"}
    container = {**LIVE["PrimaryContainer"], "Environment": environment}  # type: ignore[dict-item]
    assert description({**LIVE, "PrimaryContainer": container})["PrimaryContainer"] == LIVE["PrimaryContainer"]


def test_a_runs_description_is_kept_as_it_is() -> None:
    state = running(Model("batch-rain-1", "1.0.0", "arn:package/1", description(LIVE), sha256="ab" * 32))
    assert items.read_state(decode(encode(items.state_item(state)))) == state


def test_a_run_that_was_begun_before_there_was_a_digest_is_unsigned() -> None:
    state = running(Model("batch-rain-1", "1.0.0", "arn:package/1", description(LIVE), sha256="ab" * 32))
    item = items.state_item(state)
    del item["run"]["model"]["sha256"]
    run = items.read_state(item).run
    assert run is not None
    assert run.model is not None
    assert run.model.sha256 == ""


def running(model: Model) -> State:
    """Return an endpoint with a run under way."""
    wish = Wish("c1", "s3://artefacts/rows/", "text/csv", "operator", "anna", 1.5)
    return State("rain", run=Run("1", wish, 1.5, model=model))
