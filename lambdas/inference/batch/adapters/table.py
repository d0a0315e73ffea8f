"""Batches in the front doors' table.

Needs dynamodb:GetItem and dynamodb:PutItem (TransactWriteItems) on the front doors' table (`TIDEGATE_INFERENCE_TABLE`),
for the partition ``BATCH#<endpoint>``.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambdas import contract
from lambdas.inference.batch import items
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import State, Summary
from lambdas.rollout.adapters.attributes import decode, encode
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import ConflictError, RetryableError

_NEW = f"attribute_not_exists({contract.TABLE_PARTITION_KEY})"


class DynamoStore:
    """Implements `lambdas.inference.batch.ports.Store`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("dynamodb")

    def load(self, name: str) -> State:
        """Return the endpoint's state; a fresh one when there is none."""
        key = encode(items.key(name, items.STATE_KEY))
        with translated():
            answer = self._client().get_item(TableName=_table(), Key=key, ConsistentRead=True)
        return items.read_state(decode(answer["Item"])) if "Item" in answer else State(name)

    def save(self, state: State, summaries: Sequence[Summary], plan: Plan) -> State:
        """Write the state and the summaries of runs in one transaction."""
        saved = replace(state, version=state.version + 1)
        writes = [_put(items.state_item(saved), state.version)]
        writes += [_put(items.run_item(state.name, summary, plan)) for summary in summaries]
        self._transact(writes)
        return saved

    def _transact(self, writes: list[dict[str, Any]]) -> None:
        from botocore.exceptions import ClientError

        with translated():
            try:
                self._client().transact_write_items(TransactItems=writes)
            except ClientError as error:
                if code_of(error) != "TransactionCanceledException":
                    raise
                raise _cancelled(error) from error


def _put(item: Mapping[str, Any], version: int | None = None) -> dict[str, Any]:
    put: dict[str, Any] = {"TableName": _table(), "Item": encode(item)}
    if version == 0:
        put["ConditionExpression"] = _NEW
    elif version is not None:
        put["ConditionExpression"] = "#version = :version"
        put["ExpressionAttributeNames"] = {"#version": "version"}
        put["ExpressionAttributeValues"] = encode({":version": version})
    return {"Put": put}


def _cancelled(error: Any) -> Exception:
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in reasons:
        return ConflictError("the batch item has changed since it was read")
    return RetryableError(f"the transaction was cancelled: {', '.join(sorted(filter(None, reasons)))}")


def _table() -> str:
    return os.environ[contract.ENV_INFERENCE_TABLE]
