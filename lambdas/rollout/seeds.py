"""Values that stay what they were when their resource was created."""

from collections.abc import Mapping
from typing import Any, Protocol

from lambdas.contract import TABLE_PARTITION_KEY, TABLE_SORT_KEY


class SeedError(LookupError):
    """A seed whose record is gone."""


class SeedTable(Protocol):
    """What seeds need of the table."""

    def get(self, key: Mapping[str, str]) -> dict[str, Any] | None:
        """Return the item under a key."""

    def put_new(self, item: Mapping[str, Any]) -> None:
        """Write an item unless there is one under its key."""

    def delete(self, key: Mapping[str, str]) -> None:
        """Delete the item under a key, if there is one."""


class Seeds:
    """The seeds' records."""

    def __init__(self, table: SeedTable) -> None:
        self._table = table

    def record(self, name: str, values: Mapping[str, str]) -> dict[str, str]:
        """Record values unless there are some already, and return what is recorded."""
        self._table.put_new({**_key(name), "values": dict(values)})
        return self.recall(name)

    def recall(self, name: str) -> dict[str, str]:
        """Return what is recorded.

        Raises
        ------
        SeedError
            When there is nothing: any other answer could have CloudFormation replace what is live.
        """
        found = self.find(name)
        if found is None:
            raise SeedError(f"the record of seed {name} is gone from the rollout table; restore the table to go on")
        return found

    def find(self, name: str) -> dict[str, str] | None:
        """Return what is recorded, or None."""
        item = self._table.get(_key(name))
        return None if item is None else dict(item["values"])

    def forget(self, name: str) -> None:
        """Remove the record."""
        self._table.delete(_key(name))


def _key(name: str) -> dict[str, str]:
    return {TABLE_PARTITION_KEY: f"SEED#{name}", TABLE_SORT_KEY: "SEED"}
