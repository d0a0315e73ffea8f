"""What endpoints of jobs stand for, in the front doors' table.

Needs dynamodb:GetItem, and to write dynamodb:PutItem, on the front doors' table (`TIDEGATE_INFERENCE_TABLE`), for the
partition ``FOLLOWER#<endpoint>``.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from lambdas import contract
from lambdas.inference.adapters.attributes import plain, written
from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.adapters.conflicts import conflicts
from lambdas.inference.following.standing import Standing
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.stored import read_back

_CONNECT, _READ = 1.0, 2.0
_SORT, _SCHEMA = "STANDING", 1
_BETWEEN = ","
_WHOLE = ("generation", "failures", "version_of_item")
_COUNTED = "version_of_item"


class DynamoStandings:
    """Implements `lambdas.inference.following.ports.Standings`.

    Parameters
    ----------
    client
        Returns DynamoDB's client.
    """

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or Lazy("dynamodb", connect=_CONNECT, read=_READ)

    def load(self, endpoint: str) -> Standing:
        """Return what an endpoint's endpoint of jobs stands for; a fresh one where nothing was written."""
        with translated():
            answer = self._client().get_item(TableName=_table(), Key=written(_key(endpoint)), ConsistentRead=True)
        if "Item" not in answer:
            return Standing(endpoint)
        return read_back(plain(answer["Item"]), f"the standing of {endpoint}'s jobs", _SCHEMA, Standing, _standing)

    def save(self, standing: Standing) -> Standing:
        """Write it and return it as written; raise `ConflictError` where it has changed since it was read."""
        saved = replace(standing, version_of_item=standing.version_of_item + 1)
        with translated(), conflicts(f"what the jobs of {standing.endpoint} are answered by"):
            self._client().put_item(
                TableName=_table(),
                Item=written(_item(saved)),
                ConditionExpression="attribute_not_exists(#pk) OR #counted = :counted",
                ExpressionAttributeNames={"#pk": contract.TABLE_PARTITION_KEY, "#counted": _COUNTED},
                ExpressionAttributeValues=written({":counted": standing.version_of_item}),
            )
        return saved


def _key(endpoint: str) -> dict[str, str]:
    return {contract.TABLE_PARTITION_KEY: contract.follower_partition(endpoint), contract.TABLE_SORT_KEY: _SORT}


def _item(standing: Standing) -> dict[str, Any]:
    return {
        **_key(standing.endpoint),
        **asdict(standing),
        "made": _BETWEEN.join(standing.made),
        "schema": _SCHEMA,
    }


def _standing(fields: Mapping[str, Any]) -> Standing:
    whole = {name: int(fields[name]) for name in _WHOLE if name in fields}
    return Standing(**{**fields, **whole, "made": tuple(filter(None, fields["made"].split(_BETWEEN)))})


def _table() -> str:
    return os.environ[contract.ENV_INFERENCE_TABLE]
