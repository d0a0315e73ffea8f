"""DynamoDB's transactions that are sent again: each is written once."""

import json
import threading
import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.rollout.adapters.transactions import put, transact
from localcloud.front.protocols import Answer
from localcloud.services.transactions import Transactions
from tests.localcloud.conftest import eventually as until


@dataclass
class Table:
    """A table whose one item is counted up by transactions."""

    client: Any
    name: str

    def write(self, before: int, token: str, **more: str) -> None:
        """Put the item at `before` + 1, if it is at `before`."""
        put = {"TableName": self.name, "Item": _item(before + 1, **more)}
        if before:
            put |= {"ConditionExpression": "n = :n", "ExpressionAttributeValues": {":n": {"N": str(before)}}}
        else:
            put |= {"ConditionExpression": "attribute_not_exists(pk)"}
        self.client.transact_write_items(TransactItems=[{"Put": put}], ClientRequestToken=token)

    def refusal(self, *given: Any, **more: str) -> str:
        """Return the code by which a write is refused."""
        with pytest.raises(ClientError) as refused:
            self.write(*given, **more)
        return str(refused.value.response["Error"]["Code"])

    @property
    def number(self) -> int:
        """Return the item's number."""
        found = self.client.get_item(TableName=self.name, Key={"pk": {"S": "one"}}, ConsistentRead=True)
        return int(found["Item"]["n"]["N"])


def _item(number: int, **more: str) -> dict[str, Any]:
    return {"pk": {"S": "one"}, "n": {"N": str(number)}, **{name: {"S": value} for name, value in more.items()}}


@pytest.fixture
def table(cloud, workshop) -> Table:
    """Return a new table."""
    name, client = workshop.name("table"), cloud.client("dynamodb")
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Table(client, name)


def test_what_is_sent_again_is_answered_and_not_written_again(table):
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    table.write(0, first)
    table.write(0, first)  # its condition no longer holds
    table.write(1, second)
    table.write(0, first)
    table.write(1, second)
    assert table.number == 2


def test_another_transaction_under_a_used_token_is_refused(table):
    token = str(uuid.uuid4())
    table.write(0, token)
    assert table.refusal(1, token) == "IdempotentParameterMismatchException"
    assert table.number == 1


def test_a_transaction_that_was_cancelled_may_be_tried_again(table):
    token = str(uuid.uuid4())
    assert table.refusal(1, token) == "TransactionCanceledException"
    table.write(0, str(uuid.uuid4()))
    table.write(1, token)
    assert table.number == 2


def test_an_answer_that_comes_too_late_is_no_conflict_with_oneself(cloud, table):
    """The client repeats what it had no answer to, and its condition no longer holds: so the engine writes."""
    config = Config(read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})
    hasty = boto3.Session("localadmin", "x", region_name=cloud.region).client(
        "dynamodb", endpoint_url=cloud.endpoint_url, config=config
    )
    sent: list[str] = []
    hasty.meta.events.register("before-send.dynamodb", lambda request, **_: sent.append(request.body))
    busy = threading.Event()

    def keep_busy() -> None:
        with cloud._store.lock:
            busy.set()
            until(lambda: len(sent) == 2)

    keeper = threading.Thread(target=keep_busy)
    keeper.start()
    assert busy.wait(30)
    transact(lambda: hasty, [put(table.name, {"pk": "one", "n": 1}, 0)])
    keeper.join()
    assert len(sent) == 2
    assert table.number == 1


def test_after_ten_minutes_a_token_is_as_good_as_new(cloud):
    class Store:
        """Counts what is written."""

        lock, written = cloud._store.lock, 0

        def call(self, _):
            self.written += 1
            return Answer(200, b"{}")

    class Sent:
        body = json.dumps({"ClientRequestToken": "t", "TransactItems": []}).encode()

    now, store = [0.0], Store()
    transactions = Transactions(store, lambda: now[0])
    for at, written in ((0.0, 1), (599.0, 1), (601.0, 2), (1200.0, 2), (1202.0, 3)):
        now[0] = at
        transactions.write_call(Sent())
        assert store.written == written
