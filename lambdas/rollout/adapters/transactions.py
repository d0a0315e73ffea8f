"""Several items of DynamoDB tables written at once, or none of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lambdas import contract
from lambdas.rollout.adapters.attributes import encode
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import ConflictError, RetryableError

NEW = f"attribute_not_exists({contract.TABLE_PARTITION_KEY})"
"""Condition that there is no item under the key."""


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


def transact(client: Callable[[], Any], writes: Sequence[Mapping[str, Any]], item: str = "item") -> None:
    """Write all or nothing; `item` is what a conflict is about.

    Raises
    ------
    ConflictError
        When an item is no longer as it was read.
    RetryableError
        When the transaction was cancelled for another reason.
    """
    from botocore.exceptions import ClientError

    with translated():
        try:
            client().transact_write_items(TransactItems=list(writes))
        except ClientError as error:
            if code_of(error) != "TransactionCanceledException":
                raise
            raise _cancelled(error, item) from error


def _cancelled(error: Any, item: str) -> Exception:
    reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in reasons:
        return ConflictError(f"the {item} has changed since it was read")
    return RetryableError(f"the transaction was cancelled: {', '.join(sorted(filter(None, reasons)))}")
