"""The monitoring table: under ``ENDPOINT#<name>`` the item ``CURSOR``, and ``WINDOW#<start>`` for each window."""

import os
from collections.abc import Mapping
from typing import Any

from lambdas import contract
from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.errors import ConflictError
from lambdas.monitoring.ports import Cursor
from lambdas.rollout.adapters.attributes import decode, encode
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.adapters.tables import get


class DynamoRecords:
    """Implements `lambdas.monitoring.ports.Records`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("dynamodb")

    def cursor(self, endpoint: str) -> Cursor | None:
        """Return an endpoint's cursor; None before its first run."""
        item = self._get(endpoint, contract.MONITOR_CURSOR_KEY)
        return Cursor(item["next"], item["next_labels"], item["revision"]) if item else None

    def move(self, endpoint: str, cursor: Cursor) -> Cursor:
        """Write a cursor over the one of its revision, and return it as it is now."""
        from botocore.exceptions import ClientError

        moved = Cursor(cursor.next, cursor.next_labels, cursor.revision + 1)
        item = {"next": moved.next, "next_labels": moved.next_labels, "revision": moved.revision}
        with translated():
            try:
                self._put(endpoint, contract.MONITOR_CURSOR_KEY, item, **_unmoved(cursor.revision))
            except ClientError as error:
                if code_of(error) != "ConditionalCheckFailedException":
                    raise
                # The client may itself have made this very call twice.
                if self.cursor(endpoint) != moved:
                    raise ConflictError(f"somebody else has moved the cursor of {endpoint}") from error
        return moved

    def window(self, endpoint: str, key: str) -> dict[str, Any] | None:
        """Return what is recorded of a window."""
        return self._get(endpoint, _window(key))

    def put_window(self, endpoint: str, key: str, item: Mapping[str, Any]) -> None:
        """Record a window, in place of what was recorded before."""
        with translated():
            self._put(endpoint, _window(key), item)

    def before(self, endpoint: str, key: str, most: int) -> list[dict[str, Any]]:
        """Return what is recorded of the latest windows before one, the oldest first."""
        values = {
            ":pk": _partition(endpoint),
            ":first": contract.WINDOW_PREFIX,
            ":last": _window(key),
        }
        query: dict[str, Any] = {
            "TableName": _table(),
            "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#pk": contract.TABLE_PARTITION_KEY, "#sk": contract.TABLE_SORT_KEY},
            "ExpressionAttributeValues": encode(values),
            "ConsistentRead": True,
            "ScanIndexForward": False,
        }
        found: list[dict[str, Any]] = []
        wanted = most + 1  # the window itself is among them, once it is recorded
        while len(found) < wanted:
            with translated():
                page = self._client().query(**query, Limit=wanted - len(found))
            found += [decode(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:  # a page ends at 1 MB, whatever its limit
                break
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        others = [item for item in found if item[contract.TABLE_SORT_KEY] != _window(key)]
        return others[:most][::-1]

    def _get(self, endpoint: str, sort: str) -> dict[str, Any] | None:
        return get(self._client, _table(), _key(endpoint, sort))

    def _put(self, endpoint: str, sort: str, item: Mapping[str, Any], **condition: Any) -> None:
        self._client().put_item(TableName=_table(), Item=encode({**item, **_key(endpoint, sort)}), **condition)


def _unmoved(revision: int) -> dict[str, Any]:
    if not revision:
        return {"ConditionExpression": f"attribute_not_exists({contract.TABLE_PARTITION_KEY})"}
    return {
        "ConditionExpression": "#revision = :revision",
        "ExpressionAttributeNames": {"#revision": "revision"},
        "ExpressionAttributeValues": encode({":revision": revision}),
    }


def _table() -> str:
    return os.environ[contract.ENV_MONITORING_TABLE]


def _window(key: str) -> str:
    return f"{contract.WINDOW_PREFIX}{key}"


def _partition(endpoint: str) -> str:
    return contract.endpoint_partition(endpoint)


def _key(endpoint: str, sort: str) -> dict[str, str]:
    return {contract.TABLE_PARTITION_KEY: _partition(endpoint), contract.TABLE_SORT_KEY: sort}
