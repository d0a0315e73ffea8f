"""Items in DynamoDB's form, and back.

boto3's own writer and reader are not worth the import of boto3 to a cold start.
"""

from collections.abc import Mapping
from typing import Any


def written(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of texts and numbers as DynamoDB takes it."""
    return {name: {"S": value} if isinstance(value, str) else {"N": repr(value)} for name, value in item.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as DynamoDB gives it; it may also hold lists and objects."""
    return {name: _value(value) for name, value in item.items()}


def _value(typed: Mapping[str, Any]) -> Any:
    [(kind, value)] = typed.items()
    if kind == "M":
        return plain(value)
    if kind == "L":
        return [_value(each) for each in value]
    if kind == "N":
        return float(value)
    return None if kind == "NULL" else value
