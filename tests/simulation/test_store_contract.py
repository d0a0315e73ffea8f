"""The table in memory writes under the same conditions as the one in DynamoDB."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas import contract
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.dynamodb import DynamoStore
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.ports import Store
from lambdas.rollout.state import State
from localcloud.simulation.scenarios import FLEET
from localcloud.simulation.store import MemoryStore

TABLE = "tidegate-test-rollouts"
FIRST = State.first("rain-local", "config-1", FLEET)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoStore]:
    """A store over DynamoDB as moto has it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv(contract.ENV_TABLE, TABLE)
    keys: list[Any] = [(contract.TABLE_PARTITION_KEY, "HASH"), (contract.TABLE_SORT_KEY, "RANGE")]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        )
        yield DynamoStore(Lazy("dynamodb", lambda _: client))


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the two."""
    if request.param == "memory":
        return MemoryStore(lambda _: None)
    found: Store = request.getfixturevalue("dynamodb")
    return found


def test_what_follows_on_what_was_read_is_written(store: Store) -> None:
    saved = store.save(FIRST, now=0.0)
    again = store.save(replace(saved, wake=7.0), now=1.0)
    assert (saved.version, again.version) == (1, 2)
    assert store.load(FIRST.name) == again


def test_what_follows_on_something_older_is_refused(store: Store) -> None:
    saved = store.save(FIRST, now=0.0)
    newer = store.save(replace(saved, wake=7.0), now=1.0)
    with pytest.raises(ConflictError):
        store.save(replace(saved, wake=8.0), now=2.0)
    assert store.load(FIRST.name) == newer


def test_a_first_write_over_an_item_is_refused(store: Store) -> None:
    saved = store.save(FIRST, now=0.0)
    with pytest.raises(ConflictError):
        store.save(FIRST, now=1.0)
    assert store.load(FIRST.name) == saved


def test_a_later_write_needs_an_item(store: Store) -> None:
    with pytest.raises(ConflictError):
        store.save(replace(FIRST, version=1), now=0.0)
    assert store.load(FIRST.name) is None
