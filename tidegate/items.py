"""Items of the tables in which the functions keep what they do, read consistently and whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from lambdas import contract
from tidegate.aws import Aws

NAMES = {"#pk": contract.TABLE_PARTITION_KEY, "#sk": contract.TABLE_SORT_KEY}
OF_PARTITION = "#pk = :pk"
BEGINS = f"{OF_PARTITION} AND begins_with(#sk, :prefix)"

_DESERIALIZER = TypeDeserializer()


def beginning(
    aws: Aws, table: str, partition: str, prefix: str, *, newest_first: bool = False, page: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield a partition's items whose sort key begins with `prefix`; `page` says how many are fetched at once."""
    more: dict[str, Any] = {"ScanIndexForward": False} if newest_first else {}
    return query(aws, table, partition, BEGINS, {":prefix": {"S": prefix}}, **more, **({"Limit": page} if page else {}))


def query(
    aws: Aws, table: str, partition: str, condition: str, values: Mapping[str, Any], **more: Any
) -> Iterator[dict[str, Any]]:
    """Yield a partition's items for which a key condition holds; `values` are in DynamoDB's form."""
    request: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": NAMES,
        "ExpressionAttributeValues": {":pk": {"S": partition}, **values},
        "ConsistentRead": True,
        **more,
    }
    for page in aws.dynamodb.get_paginator("query").paginate(**request):
        for item in page["Items"]:
            yield {name: _plain(_DESERIALIZER.deserialize(value)) for name, value in item.items()}


def text(item: Mapping[str, Any], name: str) -> str:
    """Return a field as text; empty where there is none."""
    value = item.get(name)
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
