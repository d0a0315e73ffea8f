"""Items of texts and numbers in DynamoDB's form, and back."""

from collections.abc import Mapping
from typing import Any


def written(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as DynamoDB takes it."""
    return {name: {"S": value} if isinstance(value, str) else {"N": repr(value)} for name, value in item.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as DynamoDB gives it."""
    return {name: value["S"] if "S" in value else float(value["N"]) for name, value in item.items()}
