"""What was found of one file of captured requests, and where it is kept."""

import hashlib
import math
from collections.abc import Mapping
from typing import Any

from lambdas.contract import TABLE_EXPIRY, TABLE_PARTITION_KEY, TABLE_SORT_KEY, paired_partition
from lambdas.rollout.judge.counts import Paired, Replays, Tally
from lambdas.rollout.judge.incomparable import Incomparable

KEPT_SECONDS = 90 * 24 * 3600
"""Far longer than a rollout; the table removes the items by itself."""

_EARLY_SECONDS, _PLACES = 400.0, 200.0
_MARK = 16


def partition(endpoint: str) -> str:
    """Return the partition key of the items of an endpoint."""
    return paired_partition(endpoint)


def sort_prefix(rollout: str) -> str:
    """Return how the sort keys of the items of a rollout begin."""
    return f"{rollout}#"


def place(started_at: float, at: float) -> int:
    """Return the place among a rollout's items of a file that was written at a time.

    Places are 2 s wide at first and widen as the rollout grows older, so that one that waits for days is still read at
    a glance: 460 of them in an hour, 1,100 in a day, 1,500 in a week. There is one file for each; the others are left
    out, by when they were written and not by what is in them.
    """
    return int(_PLACES * math.log1p(max(at - started_at, 0.0) / _EARLY_SECONDS))


def key(endpoint: str, rollout: str, number: int) -> dict[str, str]:
    """Return the key of an item."""
    return {TABLE_PARTITION_KEY: partition(endpoint), TABLE_SORT_KEY: f"{sort_prefix(rollout)}{number:05d}"}


def spare(keys: Mapping[str, str], capture_key: str) -> dict[str, str]:
    """Return the key of what was sent of a file whose place another one has taken meanwhile."""
    mark = hashlib.sha256(capture_key.encode()).hexdigest()[:_MARK]
    return {**keys, TABLE_SORT_KEY: f"{keys[TABLE_SORT_KEY]}#{mark}"}


def item(keys: Mapping[str, str], found: Paired, capture_key: str) -> dict[str, Any]:
    """Return an item."""
    lacking = {"incomparable": _kept(found.incomparable)} if found.incomparable else {}
    return {
        **keys,
        "at": found.at,
        "compared": found.compared,
        "differed": found.differed,
        "replays": {f"{each.at:.0f}": [each.tally.events, each.tally.total] for each in found.replays},
        "key": capture_key,
        **lacking,
        TABLE_EXPIRY: int(found.at) + KEPT_SECONDS,
    }


def read(given: Mapping[str, Any]) -> Paired:
    """Read an item back."""
    replays = [Replays(float(at), Tally(int(failed), int(sent))) for at, (failed, sent) in given["replays"].items()]
    in_order = tuple(sorted(replays, key=lambda each: each.at))
    lacking = _incomparable(given.get("incomparable") or {})
    return Paired(float(given["at"]), int(given["compared"]), int(given["differed"]), in_order, lacking)


def _kept(found: Incomparable) -> dict[str, Any]:
    # A number, for the function that compares writes texts, numbers, lists and maps alone.
    named = {} if found.names is None else {"names": [*found.names], "many": int(found.many)}
    return {"unread": found.unread, "fieldless": found.fieldless, **named}


def _incomparable(given: Mapping[str, Any]) -> Incomparable:
    names = tuple(str(name) for name in given["names"]) if "names" in given else None
    unread, fieldless, many = (int(given.get(name, 0)) for name in ("unread", "fieldless", "many"))
    return Incomparable(unread, fieldless, names, bool(many))
