"""Several items of DynamoDB tables written at once, or none of them."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdas import contract
from lambdas.rollout.adapters.attributes import encode
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import ConflictError, RetryableError, TidegateError

NEW = f"attribute_not_exists({contract.TABLE_PARTITION_KEY})"
"""Condition that there is no item under the key."""

PAUSES = (0.05, 0.1, 0.2)
"""Seconds, at the most, before a transaction that another one cancelled is tried again."""


def put(table: str, item: Mapping[str, Any], version: int | None = None) -> dict[str, Any]:
    """Return what writes an item.

    Parameters
    ----------
    table
        Its table.
    item
        The item.
    version
        What the item's `version` must be as it stands, 0 for an item that is new; None for whatever there is.
    """
    write: dict[str, Any] = {"TableName": table, "Item": encode(item)}
    if version == 0:
        write["ConditionExpression"] = NEW
    elif version is not None:
        write["ConditionExpression"] = "#version = :version"
        write["ExpressionAttributeNames"] = {"#version": "version"}
        write["ExpressionAttributeValues"] = encode({":version": version})
    return {"Put": write}


class _CollisionError(RetryableError):
    """Another transaction was at work on the same item."""


def transact(
    client: Callable[[], Any],
    writes: Sequence[Mapping[str, Any]],
    item: str = "item",
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Write all or nothing; `item` is what a conflict is about.

    Another transaction on the same item at the same moment cancels this one, whatever comes of that; SDKs do not try
    again by themselves. So it is tried again here, until it is written or its condition holds no more.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html

    Raises
    ------
    ConflictError
        When an item is no longer as it was read.
    RetryableError
        When the transaction was cancelled for another reason.
    """
    for pause in PAUSES:
        try:
            return _transact(client, writes, item)
        except _CollisionError:
            sleep(random.uniform(pause / 2, pause))
    return _transact(client, writes, item)


def _transact(client: Callable[[], Any], writes: Sequence[Mapping[str, Any]], item: str) -> None:
    from botocore.exceptions import ClientError

    with translated():
        try:
            client().transact_write_items(TransactItems=list(writes))
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            raise _cancelled(error, item) from error


def _cancelled(error: Any, item: str) -> TidegateError:
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in reasons:
        return ConflictError(f"the {item} has changed since it was read")
    kind = _CollisionError if "TransactionConflict" in reasons else RetryableError
    return kind(f"the transaction was cancelled: {', '.join(sorted(filter(None, reasons)))}")
