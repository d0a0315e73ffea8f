"""Items of DynamoDB tables, read one at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.rollout.adapters.attributes import decode, encode
from lambdas.rollout.adapters.failures import translated


def get(client: Callable[[], Any], table: str, key: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the item under a key as it is now; None when there is none."""
    with translated():
        answer = client().get_item(TableName=table, Key=encode(key), ConsistentRead=True)
    return decode(answer["Item"]) if "Item" in answer else None
