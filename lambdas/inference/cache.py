"""Answers that are given again.

An answer is kept under the endpoint, what gave it (the model, and the config that it is live with), and the hash of its
input. So a version that is promoted starts with nothing, and so does one that gets another container; one that is
rolled back to finds its own answers again; and no answer is ever given in another version's name. How old an answer is
is told by its own time: the table deletes late what has expired.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.contract import TABLE_EXPIRY, TABLE_PARTITION_KEY, TABLE_SORT_KEY
from lambdas.inference.ports import Log, Table
from lambdas.inference.settings import Cache
from lambdas.inference.view import Served
from lambdas.rollout.errors import TidegateError

SORT_KEY = "ANSWER"
LARGEST_BYTES = 300_000
"""An item has room for 400 KB."""


def partition(endpoint: str, who: str, input_hash: str) -> str:
    """Return the partition key of an answer."""
    return f"CACHE#{endpoint}#{who}#{input_hash}"


@dataclass(frozen=True)
class Stored:
    """An answer that a version has given before, and when (epoch seconds)."""

    body: str
    at: float


class Answers:
    """The answers that an endpoint has given.

    Nothing here fails: an answer that cannot be read is one that is not there.

    Parameters
    ----------
    settings
        For how long they are good.
    endpoint
        Whose.
    table, log
        Where they are, and where it is said what went wrong.
    now
        Returns epoch seconds.
    """

    def __init__(self, settings: Cache, endpoint: str, table: Table, log: Log, now: Callable[[], float]) -> None:
        self._settings = settings
        self._endpoint = endpoint
        self._table = table
        self._log = log
        self._now = now

    def find(self, served: Served, input_hash: str) -> Stored | None:
        """Return what a version has answered, as long as it may stand in for it."""
        try:
            item = self._table.get(partition(self._endpoint, served.cache, input_hash), SORT_KEY)
            stored = _stored(item, served) if item is not None else None
        except (TidegateError, KeyError, TypeError, ValueError) as error:
            self._log.warning(f"the cache could not be read: {type(error).__name__}: {error}")
            return None
        return stored if stored is not None and self._age(stored) < self._longest else None

    def is_fresh(self, stored: Stored) -> bool:
        """Return whether an answer is as good as the model's."""
        return self._age(stored) < self._settings.seconds

    def keep(self, served: Served, input_hash: str, body: str) -> None:
        """Keep what a version has answered just now."""
        if len(body.encode()) > LARGEST_BYTES:
            return
        try:
            self._table.put(self._item(served, input_hash, body))
        except TidegateError as error:
            self._log.warning(f"an answer could not be kept: {error}")

    @property
    def _longest(self) -> int:
        return max(self._settings.seconds, self._settings.stale_seconds)

    def _age(self, stored: Stored) -> float:
        # A clock that is behind the one that wrote it makes nothing younger than new.
        return max(self._now() - stored.at, 0.0)

    def _item(self, served: Served, input_hash: str, body: str) -> dict[str, Any]:
        now = self._now()
        return {
            TABLE_PARTITION_KEY: partition(self._endpoint, served.cache, input_hash),
            TABLE_SORT_KEY: SORT_KEY,
            "body": body,
            "key": served.cache,
            "version": served.version,
            "at": now,
            TABLE_EXPIRY: int(now) + self._longest + 1,
        }


def _stored(item: Mapping[str, Any], served: Served) -> Stored | None:
    # What stands under one version's key and says that another has given it is believed by nobody.
    return Stored(str(item["body"]), float(item["at"])) if item["key"] == served.cache else None
