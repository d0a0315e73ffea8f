"""The front doors' table, and what the rollout engine says in its own.

Needs dynamodb:GetItem and dynamodb:PutItem on the front doors' table (`TIDEGATE_INFERENCE_TABLE`), with kms:Decrypt and
kms:GenerateDataKey where that has a key of its own, and dynamodb:GetItem on the rollout table (`TIDEGATE_TABLE`), for
which the attributes `pk`, `sk` and `route` are enough.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

from lambdas import contract
from lambdas.inference.adapters.attributes import plain, written
from lambdas.inference.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_CONNECT, _READ = 0.3, 0.2
"""Whoever waits for a prediction waits for this as well."""

_STATE_KEY = "STATE"


def quick_dynamodb() -> Lazy:
    """Return a client that gives up soon."""
    return Lazy("dynamodb", connect=_CONNECT, read=_READ)


class InferenceTable:
    """Implements `lambdas.inference.ports.Table` for items of text and numbers.

    Parameters
    ----------
    client
        Returns DynamoDB's client.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        """Return an item; None when there is none. It may be a moment old."""
        key = {contract.TABLE_PARTITION_KEY: partition, contract.TABLE_SORT_KEY: sort}
        with translated():
            answer = self._client().get_item(TableName=os.environ[contract.ENV_INFERENCE_TABLE], Key=written(key))
        return plain(answer["Item"]) if "Item" in answer else None

    def put(self, item: Mapping[str, Any]) -> None:
        """Write an item over whatever was there."""
        with translated():
            self._client().put_item(TableName=os.environ[contract.ENV_INFERENCE_TABLE], Item=written(item))


class RecordedRoute:
    """Reads what the rollout engine says of an endpoint's versions.

    Parameters
    ----------
    endpoint
        SageMaker name of the endpoint.
    client
        Returns DynamoDB's client.
    """

    def __init__(self, endpoint: str, client: Callable[[], Any]) -> None:
        self._endpoint = endpoint
        self._client = client

    def __call__(self) -> Mapping[str, Any] | None:
        """Return the route as the last finished write left it; None when the engine has written none."""
        names = (contract.TABLE_PARTITION_KEY, contract.TABLE_SORT_KEY)
        key = dict(zip(names, (contract.endpoint_partition(self._endpoint), _STATE_KEY), strict=True))
        with translated():
            answer = self._client().get_item(
                TableName=os.environ[contract.ENV_TABLE],
                Key=written(key),
                ConsistentRead=True,
                ProjectionExpression="#route",
                ExpressionAttributeNames={"#route": contract.ROUTE_ATTRIBUTE},
            )
        route = plain(answer.get("Item", {})).get(contract.ROUTE_ATTRIBUTE)
        return route if isinstance(route, dict) else None
