"""The rollout table in DynamoDB."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from lambdas import contract
from lambdas.rollout import items
from lambdas.rollout.adapters.attributes import decode, encode
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.adapters.tables import get
from lambdas.rollout.adapters.transactions import put, transact
from lambdas.rollout.answers import paired
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.errors import ConflictError
from lambdas.rollout.judge import Paired
from lambdas.rollout.ports import Due
from lambdas.rollout.state import Rollout, State


class DynamoStore:
    """Implements `lambdas.rollout.ports.Store`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("dynamodb")

    def load(self, name: str) -> State | None:
        """Return the endpoint's state, or None when it has none."""
        item = self.get(items.key(name, items.STATE_KEY))
        return items.read_state(item) if item else None

    def save(
        self,
        state: State,
        entries: Sequence[Entry] = (),
        *,
        now: float,
        rollout: Rollout | None = None,
        episode: Episode | None = None,
    ) -> State:
        """Write the state with its audit entries, a rollout's summary and an episode in one transaction."""
        saved = replace(state, version=state.version + 1, audit_count=state.audit_count + len(entries))
        writes = [put(_table(), items.state_item(saved), state.version)]
        writes += [
            put(_table(), items.audit_item(state.name, entry, number, now))
            for number, entry in enumerate(entries, start=state.audit_count + 1)
        ]
        if rollout is not None:
            writes.append(put(_table(), items.summary_item(state.name, rollout)))
        if episode is not None:
            writes.append(put(_table(), items.episode_item(state.name, episode)))
        transact(self._client, writes)
        return saved

    def episodes(self, name: str) -> dict[str, Episode]:
        """Return the approval episodes of the endpoint's packages by ARN."""
        found = [items.read_episode(item) for item in self.items_of(name, items.PACKAGE_PREFIX)]
        return {episode.package_arn: episode for episode in found}

    def pairs(self, name: str, rollout: str) -> tuple[Paired, ...]:
        """Return how both versions of a rollout answered the same requests, the earliest first."""
        found = self._under(paired.partition(name), paired.sort_prefix(rollout))
        return tuple(sorted((paired.read(item) for item in found), key=lambda each: each.at))

    def active(self) -> list[Due]:
        """Return the endpoints on which something is under way, those that have waited longest first."""
        return self._lane(items.ACTIVE_LANE)

    def idle(self) -> list[Due]:
        """Return the endpoints on which nothing is under way."""
        return self._lane(items.IDLE_LANE)

    def get(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the item under a key."""
        return get(self._client, _table(), key)

    def put_new(self, item: Mapping[str, Any]) -> None:
        """Write an item unless there is one under its key."""
        try:
            transact(self._client, [put(_table(), item, version=0)])
        except ConflictError:
            return

    def delete(self, key: Mapping[str, str]) -> None:
        """Delete the item under a key, if there is one."""
        with translated():
            self._client().delete_item(TableName=_table(), Key=encode(key))

    def items_of(self, name: str, prefix: str = "") -> list[dict[str, Any]]:
        """Return an endpoint's items whose sort keys begin with `prefix`."""
        return self._under(items.partition(name), prefix)

    def _under(self, partition: str, prefix: str) -> list[dict[str, Any]]:
        condition, values = "#pk = :pk", {":pk": partition}
        names = {"#pk": contract.TABLE_PARTITION_KEY}
        if prefix:
            condition, values = f"{condition} AND begins_with(#sk, :prefix)", {**values, ":prefix": prefix}
            names = {**names, "#sk": contract.TABLE_SORT_KEY}
        return self._query(
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode(values),
            ConsistentRead=True,
        )

    def _lane(self, lane: str) -> list[Due]:
        found = self._query(
            IndexName=contract.WAKE_INDEX,
            KeyConditionExpression="#lane = :lane",
            ExpressionAttributeNames={"#lane": contract.WAKE_INDEX_PARTITION_KEY},
            ExpressionAttributeValues=encode({":lane": lane}),
        )
        return [Due(item["name"], item[contract.WAKE_INDEX_SORT_KEY]) for item in found]

    def _query(self, **request: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            with translated():
                page = self._client().query(TableName=_table(), **request)
            found += [decode(item) for item in page["Items"]]
            if not page.get("LastEvaluatedKey"):
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _table() -> str:
    return os.environ[contract.ENV_TABLE]
