"""Retraining of an endpoint's model, as it is kept: its runs, why each began, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas import contract
from lambdas.retraining.items import AUDIT_PREFIX, RUN_PREFIX, STATE_KEY, partition, read_state
from lambdas.retraining.state import State
from lambdas.rollout.errors import PermanentError
from tidegate import items
from tidegate.aws import Aws
from tidegate.errors import OperatorError
from tidegate.items import text
from tidegate.settings import EndpointSettings

COMMAND = "command"
"""Kind of the entry that answers a command."""


@dataclass(frozen=True)
class Entry:
    """One thing that was decided about retraining, in words."""

    at: str
    run: str
    kind: str
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def by(self) -> str:
        """Who asked for it; empty when the controller decided by itself."""
        return str(self.numbers.get("by", ""))

    def answers(self, command: str) -> bool:
        """Return whether it is the answer to the command of that id."""
        return self.kind == COMMAND and self.numbers.get("command") == command


@dataclass(frozen=True)
class Run:
    """A retraining run.

    Parameters
    ----------
    reason
        Why it began, in words.
    started_at, ended_at
        ISO 8601; `ended_at` is empty while it goes on.
    outcome
        ``registered``, ``champion_stays``, ``refused`` or ``failed``; empty while it goes on.
    version
        The version that it registered, if it did.
    text
        What became of it, in words.
    numbers
        What was measured: champion and challenger on the held-out rows, and the evidence.
    trigger
        What started it, in a word: ``drift``, ``schedule``, ``new data`` or ``operator``.
    champion
        The version that was live, which the challenger had to beat.
    execution
        ARN of the pipeline execution.
    """

    id: str
    reason: str
    started_at: str
    ended_at: str = ""
    outcome: str = ""
    version: str = ""
    text: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    trigger: str = ""
    champion: str = ""
    execution: str = ""

    @property
    def ended(self) -> bool:
        """Return whether nothing more will happen to it."""
        return bool(self.outcome)


def runs(aws: Aws, endpoint: EndpointSettings) -> list[Run]:
    """Return the endpoint's retraining runs, oldest first."""
    found = [_run(item) for item in _items(aws, endpoint, RUN_PREFIX)]
    return sorted(found, key=lambda run: (run.started_at, run.id))


def trail(aws: Aws, endpoint: EndpointSettings) -> list[Entry]:
    """Return what was decided, in the order of time."""
    return [_entry(item) for item in _items(aws, endpoint, AUDIT_PREFIX)]


def trail_after(aws: Aws, endpoint: EndpointSettings, count: int) -> list[Entry]:
    """Return what was decided after the first `count` entries, in the order of time."""
    condition = f"{items.OF_PARTITION} AND #sk BETWEEN :first AND :last"
    bounds = {":first": {"S": f"{AUDIT_PREFIX}{count + 1:08d}"}, ":last": {"S": f"{AUDIT_PREFIX}~"}}
    table = contract.retraining_table(endpoint.environment)
    return [_entry(item) for item in items.query(aws, table, partition(endpoint.name), condition, bounds)]


def state(aws: Aws, endpoint: EndpointSettings) -> dict[str, Any]:
    """Return the item of the endpoint's retraining; empty before anything has happened."""
    return next(iter(_items(aws, endpoint, STATE_KEY)), {})


def load(aws: Aws, endpoint: EndpointSettings) -> State:
    """Return what is durable about the endpoint's retraining; a fresh state before anything has happened."""
    item = state(aws, endpoint)
    try:
        return read_state(item) if item else State(endpoint.name)
    except PermanentError as error:
        raise OperatorError(str(error), "use the checkout that the environment was deployed from") from error


def _items(aws: Aws, endpoint: EndpointSettings, prefix: str) -> list[dict[str, Any]]:
    table = contract.retraining_table(endpoint.environment)
    return list(items.beginning(aws, table, partition(endpoint.name), prefix))


def _run(item: Mapping[str, Any]) -> Run:
    names = ("id", "reason", "started_at", "ended_at", "outcome", "version", "text", "trigger", "champion", "execution")
    return Run(**{name: text(item, name) for name in names}, numbers=item.get("numbers") or {})


def _entry(item: Mapping[str, Any]) -> Entry:
    at, run, kind, said = (text(item, name) for name in ("at", "run", "kind", "text"))
    return Entry(at, run, kind, said, item.get("numbers") or {})
