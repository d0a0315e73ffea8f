"""Recorded AWS calls, made again and again by boto3 alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore import xform_name

from bench.cloud import Cloud, Function, make_client
from lambdas import contract

_BESIDE = {"S": "ENDPOINT#bench"}
"""Partition of the items that stand in for the endpoint's own."""

Call = Mapping[str, Any]


def repetition(cloud: Cloud, function: Function, calls: Sequence[Call]) -> Callable[[], None]:
    """Return what makes the calls again, with the function's own permissions."""
    repeatable = [_repeatable(call, number) for number, call in enumerate(calls)]
    _put_items_beside(cloud, repeatable)
    clients = {each["service"]: make_client(each["service"], function.environment) for each in repeatable}
    ready = [
        (getattr(clients[each["service"]], xform_name(each["operation"])), each["parameters"]) for each in repeatable
    ]

    def repeat() -> None:
        for method, parameters in ready:
            method(**parameters)

    return repeat


def _repeatable(call: Call, number: int) -> Call:
    """Return a call that succeeds every time: conditional writes go to an item beside, always of one version."""
    if call["operation"] != "TransactWriteItems":
        return call
    writes = [
        {"Put": _beside(each["Put"], f"CALL#{number}#{position}")}
        for position, each in enumerate(call["parameters"]["TransactItems"])
    ]
    return {**call, "parameters": {**call["parameters"], "TransactItems": writes}}


def _beside(put: Mapping[str, Any], sort_key: str) -> dict[str, Any]:
    item = {**put["Item"], contract.TABLE_PARTITION_KEY: _BESIDE, contract.TABLE_SORT_KEY: {"S": sort_key}}
    item.pop(contract.WAKE_INDEX_PARTITION_KEY, None)  # no sweeper shall take it for an endpoint
    expected = put.get("ExpressionAttributeValues", {}).get(":version")
    return {**put, "Item": {**item, "version": expected} if expected else item}


def _put_items_beside(cloud: Cloud, calls: Sequence[Call]) -> None:
    """Write the items once without conditions, so that these hold whenever a call is repeated."""
    table = cloud.client("dynamodb")
    for call in calls:
        for write in call["parameters"].get("TransactItems", []):
            table.put_item(TableName=write["Put"]["TableName"], Item=write["Put"]["Item"])
