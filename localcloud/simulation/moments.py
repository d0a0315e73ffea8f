"""The moments of a run that are held against the invariants."""

from dataclasses import dataclass
from typing import Any

from lambdas.rollout.state import Rollout, State
from localcloud.simulation.boundary import Worker
from localcloud.simulation.facts import Facts
from localcloud.simulation.store import Write


@dataclass(frozen=True)
class Asking:
    """A worker is about to change something, and what is durable at that moment."""

    facts: Facts
    worker: Worker
    name: str
    arguments: tuple[Any, ...]
    state: State
    rollout: Rollout | None


@dataclass(frozen=True)
class Writing:
    """A worker is about to make something durable; `old` and `new` are the rollout before and after, if it is one."""

    facts: Facts
    worker: Worker
    write: Write
    before: State
    after: State
    old: Rollout | None
    new: Rollout | None


@dataclass(frozen=True)
class Passing:
    """Time has passed."""

    facts: Facts
    state: State


@dataclass(frozen=True)
class Ending:
    """Faults have stopped, and nothing is under way any more or the patience is at its end."""

    facts: Facts
    state: State
    over: bool
