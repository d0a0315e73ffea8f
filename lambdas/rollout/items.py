"""The table's items: how state, audit entries, summaries and episodes are written down and read back."""

import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from lambdas.contract import (
    ROUTE_ATTRIBUTE,
    TABLE_PARTITION_KEY,
    TABLE_SORT_KEY,
    WAKE_INDEX_PARTITION_KEY,
    WAKE_INDEX_SORT_KEY,
    endpoint_partition,
)
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Capture, Fleet, Scaling
from lambdas.rollout.policy import Policy
from lambdas.rollout.route import route_of
from lambdas.rollout.state import (
    SCHEMA,
    TERMINAL,
    Artefact,
    Candidate,
    Command,
    Freeze,
    Kind,
    Live,
    Notice,
    Past,
    Phase,
    Rollout,
    Sent,
    Shortfall,
    Source,
    State,
)
from lambdas.rollout.stored import fields_of, known, read_back

STATE_KEY = "STATE"
PACKAGE_PREFIX = "PACKAGE#"
ACTIVE_LANE, IDLE_LANE = "active", "idle"
_ATOMS = frozenset({str, int, float, bool, type(None)})
_REMEMBERED = 256
"""Policies and fleets whose written form is kept at hand: they are in every item, and the same for long."""


def partition(name: str) -> str:
    """Return the partition key of an endpoint's items."""
    return endpoint_partition(name)


def key(name: str, sort: str) -> dict[str, str]:
    """Return an item's key."""
    return {TABLE_PARTITION_KEY: partition(name), TABLE_SORT_KEY: sort}


def package_sort_key(arn: str) -> str:
    """Return the sort key of a package's episode; ARNs are longer than names should be."""
    return PACKAGE_PREFIX + hashlib.sha256(arn.encode()).hexdigest()[:32]


def moment(at: float) -> str:
    """Return a time as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    kind: Any = type(value)  # dataclasses have no type of their own
    if kind in _ATOMS:
        return value
    if kind in (Policy, Fleet):
        return _form(value)
    if kind in (tuple, list):
        return [plain(each) for each in value]
    if kind in (Phase, Kind):
        return value.value
    if names := fields_of(kind):
        held = vars(value)
        return {name: each if type(each := held[name]) in _ATOMS else plain(each) for name in names}
    return {name: plain(each) for name, each in value.items()} if isinstance(value, Mapping) else value


@lru_cache(maxsize=_REMEMBERED)
def _form(value: Policy | Fleet) -> dict[str, Any]:
    return value.to_dict()


def state_item(state: State) -> dict[str, Any]:
    """Return the item of a state; only endpoints that the sweeper must look at stand in the index."""
    item = {**key(state.name, STATE_KEY), **plain(state), ROUTE_ATTRIBUTE: route_of(state)}
    del item[WAKE_INDEX_SORT_KEY]
    item[WAKE_INDEX_SORT_KEY] = state.wake or 0
    if (lane := lane_of(state)) is not None:
        item[WAKE_INDEX_PARTITION_KEY] = lane
    return item


def lane_of(state: State) -> str | None:
    """Return which lane of the index an endpoint stands in; None when nobody need look at it any more."""
    if state.retired:
        return None
    return ACTIVE_LANE if state.rollout is not None or state.wake is not None else IDLE_LANE


def read_state(item: Mapping[str, Any]) -> State:
    """Read a state back.

    Fields that this version of the code does not know were written by a newer one that was taken back; they are left
    out.

    Raises
    ------
    PermanentError
        When the item is of a newer schema, or cannot be read.
    """
    return read_back(item, f"the item of {item.get('name')}", SCHEMA, State, _state)


def _state(given: Mapping[str, Any]) -> State:
    return State(
        **{
            **given,
            "live": _live(given["live"]),
            "desired_fleet": _once(_fleet, given["desired_fleet"]),
            "failed_fleet": _once(_fleet, given.get("failed_fleet")),
            "queued": _maybe(_candidate, given.get("queued")),
            "failed": _maybe(_candidate, given.get("failed")),
            "frozen": _maybe(lambda data: _flat(Freeze, data), given.get("frozen")),
            "rollout": _maybe(_rollout, given.get("rollout")),
            "scaling": _maybe(lambda data: _flat(Scaling, data), given.get("scaling")),
            "shortfall": _maybe(lambda data: _flat(Shortfall, data), given.get("shortfall")),
            "wake": given["wake"] or None,
            **_lists(given),
        }
    )


def _lists(given: Mapping[str, Any]) -> dict[str, Any]:
    plain_ones = {name: tuple(given.get(name, ())) for name in ("seen", "owners")}
    kinds = {"artefacts": Artefact, "past": Past, "outbox": Notice}
    flat_ones = {name: tuple(_flat(kind, each) for each in given.get(name, ())) for name, kind in kinds.items()}
    return {**plain_ones, **flat_ones, "commands": tuple(_command(each) for each in given["commands"])}


def _flat(kind: type, data: Mapping[str, Any]) -> Any:
    return kind(**known(kind, data))


def _maybe(read: Any, data: Any) -> Any:
    return None if data is None else read(data)


def _live(data: Mapping[str, Any]) -> Live:
    return Live(**{**known(Live, data), "fleet": _once(_fleet, data["fleet"])})


def _fleet(data: Mapping[str, Any]) -> Fleet:
    # Its own reader refuses what it does not know, because people write that form.
    return Fleet.from_dict({**known(Fleet, data), "capture": known(Capture, data["capture"])})


def _policy(data: Mapping[str, Any]) -> Policy:
    return Policy.from_dict(data, lenient=True)


@lru_cache(maxsize=_REMEMBERED)
def _read_once(read: Callable[[Mapping[str, Any]], Any], text: str) -> Any:
    return read(json.loads(text))


def _once(read: Callable[[Mapping[str, Any]], Any], data: Any) -> Any:
    """Read what never changes and takes long, a policy or a fleet, only once."""
    return None if data is None else _read_once(read, json.dumps(data, sort_keys=True))


def _candidate(data: Mapping[str, Any]) -> Candidate:
    return Candidate(**{**known(Candidate, data), "source": _source(data)})


def _source(data: Mapping[str, Any]) -> Source | None:
    found = data.get("source")
    return None if found is None else Source(**known(Source, found))


def _command(data: Mapping[str, Any]) -> Command:
    return Command(**{**known(Command, data), "candidate": _maybe(_candidate, data.get("candidate"))})


def _rollout(data: Mapping[str, Any]) -> Rollout:
    return Rollout(
        **{
            **known(Rollout, data),
            "kind": Kind(data["kind"]),
            "phase": Phase(data["phase"]),
            "policy": _once(_policy, data["policy"]),
            "evidence": Evidence.from_dict(data["evidence"]),
            "fleet": _once(_fleet, data["fleet"]),
            "done": tuple(data["done"]),
            "cleared": tuple(data.get("cleared", ())),
            "source": _source(data),
            "sent": _maybe(lambda sent: _flat(Sent, sent), data["sent"]),
        }
    )


def audit_item(name: str, entry: Entry, number: int, now: float) -> dict[str, Any]:
    """Return the item of an audit entry."""
    return {
        **key(name, f"AUDIT#{entry.rollout or '-'}#{number:08d}"),
        "at": moment(now),
        "endpoint": name,
        "rollout": entry.rollout,
        "phase": entry.phase,
        "step": entry.step,
        "kind": entry.kind,
        "text": entry.text,
        "numbers": plain(entry.numbers),
    }


def summary_item(name: str, rollout: Rollout) -> dict[str, Any]:
    """Return the summary of a rollout."""
    over = rollout.phase in TERMINAL
    return {
        **key(name, f"ROLLOUT#{rollout.id}"),
        "id": rollout.id,
        "endpoint": name,
        "kind": rollout.kind.value,
        "version": rollout.version,
        "package_arn": rollout.package_arn,
        "slot": rollout.slot,
        "started_at": moment(rollout.started_at),
        "ended_at": moment(rollout.phase_since) if over else None,
        "phase": rollout.phase.value,
        "step": rollout.step,
        "steps": len(rollout.policy.plan),
        "strategy": rollout.policy.strategy,
        "weights": [step.weight for step in rollout.policy.plan],
        "outcome": rollout.phase.value if over else None,
        "reason": rollout.abort_reason,
    }


def episode_item(name: str, episode: Episode) -> dict[str, Any]:
    """Return the item of an approval episode."""
    return {**key(name, package_sort_key(episode.package_arn)), **plain(episode)}


def read_episode(item: Mapping[str, Any]) -> Episode:
    """Read an approval episode back."""
    return Episode(**known(Episode, item))
