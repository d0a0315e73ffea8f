"""What is read of the rollout table, asked of moto's DynamoDB, so that the expressions themselves are tried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lambdas import contract
from tests.unit.tidegate.conftest import Account
from tidegate import rollouts
from tidegate.aws import Aws
from tidegate.settings import EndpointSettings
from tidegate.trail import Trail


class Table:
    """A real client on a table like the environment's, into which a test writes as the engine does."""

    def __init__(self, account: Account) -> None:
        self.client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self._account = account
        keys = (contract.TABLE_PARTITION_KEY, contract.TABLE_SORT_KEY)
        self.client.create_table(
            TableName="tidegate-local-rollouts",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
        )

    @property
    def aws(self) -> Aws:
        return Aws(lambda service: self.client if service == "dynamodb" else getattr(self._account, service))

    def audit(self, number: int, rollout: str | None = None, **fields: Any) -> None:
        self._account.dynamodb.items.clear()
        self._account.audit(number, f"entry {number}", rollout=rollout, **fields)
        self._copy()

    def summarise(self, identity: str) -> None:
        self._account.dynamodb.items.clear()
        self._account.dynamodb.put(f"ROLLOUT#{identity}", id=identity, version="1.0", started_at="2026-01-01")
        self._copy()

    def _copy(self) -> None:
        for page in self._account.dynamodb.paginate(
            TableName="tidegate-local-rollouts",
            ConsistentRead=True,
            ExpressionAttributeValues={":pk": {"S": "ENDPOINT#rain-local"}, ":prefix": {"S": ""}},
        ):
            for item in page["Items"]:
                self.client.put_item(TableName="tidegate-local-rollouts", Item=item)


@pytest.fixture
def table(account: Account) -> Iterator[Table]:
    with mock_aws():
        yield Table(account)


def numbers(trail: Trail) -> list[int]:
    return [entry.number for entry in trail.fresh()]


def test_the_latest_rollout_has_the_highest_id(table: Table, endpoint: EndpointSettings) -> None:
    assert rollouts.latest(table.aws, endpoint) is None
    for identity in ("260101-000000-001", "260103-000000-003", "260102-000000-002"):
        table.summarise(identity)
    found = rollouts.latest(table.aws, endpoint)
    assert found is not None
    assert found.id == "260103-000000-003"


def test_a_trail_tells_what_is_new_once_wherever_it_is_written(table: Table, endpoint: EndpointSettings) -> None:
    table.summarise("260101-000000-001")
    table.audit(4, "260101-000000-001")
    table.audit(5)
    trail = Trail(table.aws, endpoint, after=5, rollout="260101-000000-001")
    assert numbers(trail) == []
    table.audit(6)
    table.audit(7, "260101-000000-001")
    assert numbers(trail) == [6, 7]
    assert numbers(trail) == []
    table.audit(8, "260102-000000-002")
    table.audit(9)
    assert numbers(trail) == [8, 9]


def test_an_entry_that_becomes_visible_late_is_not_lost(table: Table, endpoint: EndpointSettings) -> None:
    trail = Trail(table.aws, endpoint, after=0, rollout=None)
    table.audit(2, "260101-000000-001")
    assert numbers(trail) == [2]
    table.audit(1)
    assert numbers(trail) == [1]


def test_from_the_latest_rollout_on(table: Table, endpoint: EndpointSettings) -> None:
    table.audit(1, "260101-000000-001")
    table.audit(2)
    table.audit(3, "260102-000000-002")
    table.audit(4)
    table.audit(5, "260102-000000-002")
    table.summarise("260102-000000-002")
    assert numbers(Trail.of_latest(table.aws, endpoint)) == [3, 4, 5]


def test_the_answer_to_a_command_is_found_however_long_ago_it_was(table: Table, endpoint: EndpointSettings) -> None:
    table.audit(1, kind="command", numbers={"command": "c-1", "accepted": True})
    for number in range(2, 30):
        table.audit(number, "260101-000000-001")
    table.audit(30, "260101-000000-001", kind="abort", numbers={"command": "c-2"})
    found = rollouts.answer_to(table.aws, endpoint, "c-1")
    assert found is not None
    assert found.number == 1
    assert rollouts.answer_to(table.aws, endpoint, "c-2") is None, "an abort's own entry is not the answer"
    assert rollouts.answer_to(table.aws, endpoint, "c-3") is None
