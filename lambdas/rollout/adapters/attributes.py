"""Plain values as DynamoDB takes them, and back."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def encode(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's attributes; what is neither text, number, truth nor nothing is a list or an object of them."""
    from boto3.dynamodb.types import TypeSerializer

    # DynamoDB's numbers are decimal.
    exact = json.loads(json.dumps(item), parse_float=Decimal)
    serializer = TypeSerializer()
    return {name: serializer.serialize(value) for name, value in exact.items()}


def decode(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item of its attributes."""
    from boto3.dynamodb.types import TypeDeserializer

    deserializer = TypeDeserializer()
    return {name: _native(deserializer.deserialize(value)) for name, value in item.items()}


def _native(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: _native(each) for name, each in value.items()}
    return [_native(each) for each in value] if isinstance(value, list) else value
