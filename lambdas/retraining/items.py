"""The table's items: how state, audit entries and runs are written down and read back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lambdas.contract import TABLE_PARTITION_KEY, TABLE_SORT_KEY
from lambdas.monitoring.times import stamp
from lambdas.retraining.decision import Entry
from lambdas.retraining.state import (
    SCHEMA,
    Approval,
    Champion,
    Message,
    Run,
    State,
    Status,
    Summary,
    Window,
)
from lambdas.rollout.stored import known, read_back

STATE_KEY, AUDIT_PREFIX, RUN_PREFIX = "STATE", "AUDIT#", "RUN#"


def partition(name: str) -> str:
    """Return the partition key of an endpoint's items."""
    return f"RETRAINING#{name}"


def key(name: str, sort: str) -> dict[str, str]:
    """Return an item's key."""
    return {TABLE_PARTITION_KEY: partition(name), TABLE_SORT_KEY: sort}


def state_item(state: State) -> dict[str, Any]:
    """Return the item of a state."""
    return {**key(state.name, STATE_KEY), **_plain(asdict(state))}


def audit_item(name: str, entry: Entry, number: int, now: float) -> dict[str, Any]:
    """Return the item of an audit entry."""
    return {
        **key(name, f"{AUDIT_PREFIX}{number:08d}"),
        "at": stamp(now),
        "endpoint": name,
        "run": entry.run,
        "kind": entry.kind,
        "text": entry.text,
        "numbers": _plain(dict(entry.numbers)),
    }


def run_item(name: str, summary: Summary) -> dict[str, Any]:
    """Return the item of a run: what it was started for, and what became of it."""
    run = summary.run
    numbers = {label: value for label, value in summary.numbers.items() if label != "version"}
    return {
        **key(name, f"{RUN_PREFIX}{run.id}"),
        "id": run.id,
        "endpoint": name,
        "trigger": run.trigger,
        "reason": run.reason,
        "champion": run.champion.version,
        "execution": run.execution,
        "status": run.status.value,
        "since": stamp(run.since),
        "until": stamp(run.until),
        "started_at": stamp(run.decided_at),
        "ended_at": None if summary.ended_at is None else stamp(summary.ended_at),
        "outcome": summary.outcome or None,
        "version": summary.numbers.get("version") or None,
        "text": summary.text,
        "numbers": _plain(numbers),
    }


def read_state(item: Mapping[str, Any]) -> State:
    """Read a state back; fields that this version of the code does not know are left out.

    Raises
    ------
    PermanentError
        When the item is of a newer schema, or cannot be read.
    """
    return read_back(item, f"the retraining item of {item.get('name')}", SCHEMA, State, _state)


def _state(given: dict[str, Any]) -> State:
    approval = given.get("approval")
    return State(
        **{
            **given,
            "windows": tuple(
                Window(**{**known(Window, each), "features": tuple(each.get("features", ()))})
                for each in given.get("windows", ())
            ),
            "seen": tuple(given.get("seen", ())),
            "run": _run(given.get("run")),
            "approval": None if approval is None else Approval(**known(Approval, approval)),
            "outbox": tuple(Message(**known(Message, each)) for each in given.get("outbox", ())),
        }
    )


def _run(data: Mapping[str, Any] | None) -> Run | None:
    if data is None:
        return None
    champion = Champion(**known(Champion, data["champion"]))
    return Run(**{**known(Run, data), "champion": champion, "status": Status(data["status"])})


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what is no number is written as text."""
    return json.loads(json.dumps(value, default=str), parse_constant=str)
