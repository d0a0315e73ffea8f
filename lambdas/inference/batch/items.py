"""The table's items: how state and runs are written down and read back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lambdas.contract import TABLE_PARTITION_KEY, TABLE_SORT_KEY
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import SCHEMA, Answer, Message, Model, Run, Stage, State, Summary, Wish
from lambdas.monitoring.times import stamp
from lambdas.rollout.stored import known, read_back

STATE_KEY, RUN_PREFIX = "STATE", "RUN#"


def partition(name: str) -> str:
    """Return the partition key of an endpoint's items."""
    return f"BATCH#{name}"


def key(name: str, sort: str) -> dict[str, str]:
    """Return an item's key."""
    return {TABLE_PARTITION_KEY: partition(name), TABLE_SORT_KEY: sort}


def state_item(state: State) -> dict[str, Any]:
    """Return the item of a state."""
    return {**key(state.name, STATE_KEY), **json.loads(json.dumps(asdict(state)))}


def run_item(name: str, summary: Summary, plan: Plan) -> dict[str, Any]:
    """Return the item of a run: what it was started for, how far it is, and what became of it."""
    run, done = summary.run, summary.outcome == "done"
    return {
        **key(name, f"{RUN_PREFIX}{run.id}"),
        "id": run.id,
        "endpoint": name,
        "trigger": run.wish.trigger,
        "by": run.wish.by,
        "reason": run.wish.reason,
        "input": run.wish.input,
        "content_type": run.wish.content_type,
        "output": f"s3://{plan.bucket}/{plan.output_folder(run.id)}",
        "manifest": f"s3://{plan.bucket}/{plan.run_folder(run.id)}manifest.json" if done else None,
        "model": run.model and run.model.shown,
        "status": summary.outcome or ("STOPPING" if run.stopping else run.stage.value),
        "outcome": summary.outcome or None,
        "text": summary.text or "; ".join(filter(None, (run.stopping, run.trouble or run.problem))),
        "objects": run.objects,
        "left": run.left,
        "bytes": run.bytes,
        "attempt": run.attempt,
        "job": plan.job(run.id, run.attempt) if run.attempt else None,
        "started_at": stamp(run.decided_at),
        "ended_at": None if summary.ended_at is None else stamp(summary.ended_at),
    }


def read_state(item: Mapping[str, Any]) -> State:
    """Read a state back; fields that this version of the code does not know are left out.

    Raises
    ------
    PermanentError
        When the item is of a newer schema, or cannot be read.
    """
    return read_back(item, f"the batch item of {item.get('name')}", SCHEMA, State, _state)


def _state(given: dict[str, Any]) -> State:
    read = {
        "run": _run(given.get("run")),
        "waiting": tuple(_wish(each) for each in given.get("waiting", ())),
        "answers": tuple(Answer(**known(Answer, each)) for each in given.get("answers", ())),
        "outbox": tuple(Message(**known(Message, each)) for each in given.get("outbox", ())),
    }
    return State(**{**given, **read})


def _run(data: Mapping[str, Any] | None) -> Run | None:
    if data is None:
        return None
    model = data.get("model")
    read = {
        "wish": _wish(data["wish"]),
        "stage": Stage(data["stage"]),
        "model": _model(model) if model else None,
    }
    return Run(**{**known(Run, data), **read})


def _model(data: Mapping[str, Any]) -> Model:
    return Model(**{**known(Model, data), "outputs": tuple(data.get("outputs", ()))})


def _wish(data: Mapping[str, Any]) -> Wish:
    return Wish(**known(Wish, data))
