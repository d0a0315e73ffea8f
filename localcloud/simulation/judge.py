"""Holds every moment of a run against the invariants."""

import traceback
from dataclasses import dataclass, field
from typing import Any, Protocol

from localcloud.simulation.boundary import Worker
from localcloud.simulation.facts import Facts
from localcloud.simulation.faults import MUTATIONS
from localcloud.simulation.invariants import INVARIANTS, Checker, Invariant
from localcloud.simulation.moments import Asking, Ending, Passing, Writing
from localcloud.simulation.schedule import Fault
from localcloud.simulation.store import Write


@dataclass(frozen=True)
class Violation:
    """An invariant that did not hold."""

    number: int
    text: str
    why: str
    at: float

    def __str__(self) -> str:
        """Say which and why."""
        return f"invariant {self.number} ({self.text}): {self.why}"


class Record(Protocol):
    """Writes down what happens, for people."""

    def call(self, worker: str, name: str, arguments: tuple[Any, ...]) -> None:
        """Take down a call that is carried out."""

    def fault(self, worker: str, name: str, fault: Fault) -> None:
        """Take down a fault that strikes."""

    def write(self, worker: str, write: Write) -> None:
        """Take down what becomes durable."""

    def endpoint(self) -> None:
        """Take down how the endpoint is now."""

    def say(self, who: str, what: str) -> None:
        """Take down anything else."""


def _of(moment: type) -> list[tuple[Invariant, Checker]]:
    return [(invariant, invariant.check) for invariant in INVARIANTS if invariant.moment is moment]


_ASKING, _WRITING, _PASSING, _ENDING = _of(Asking), _of(Writing), _of(Passing), _of(Ending)

UNFORESEEN = 0


@dataclass
class Judge:
    """Implements `localcloud.simulation.boundary.Watcher`."""

    facts: Facts
    violations: list[Violation] = field(default_factory=list)
    record: Record | None = None
    start: float = 0.0

    def asked(self, worker: Worker, name: str, arguments: tuple[Any, ...]) -> None:
        """Judge a call that is about to be carried out."""
        if name not in MUTATIONS:
            return
        if self.record is not None:
            self.record.call(worker.name, name, arguments)
        state = self.facts.state
        if state is not None:
            self._judge(_ASKING, Asking(self.facts, worker, name, arguments, state, state.rollout))

    def answered(self, worker: Worker, name: str) -> None:
        """Take note of a call that has succeeded."""
        self.facts.answered(worker, name)

    def struck(self, worker: Worker, name: str, fault: Fault, until: float) -> None:
        """Take note of a fault, and of until when it has effects."""
        self.facts.go_wrong(until)
        if self.record is not None:
            self.record.fault(worker.name, name, fault)

    def written(self, worker: Worker, write: Write) -> None:
        """Judge a write that is about to become durable."""
        self.facts.written(worker, write)
        if self.record is not None:
            self.record.write(worker.name, write)
        before, after = write.before, write.after
        if before is None:
            return
        old = before.rollout
        new = after.rollout if old is not None and after.rollout is not None and after.rollout.id == old.id else None
        self._judge(_WRITING, Writing(self.facts, worker, write, before, after, old, new))

    def passed(self) -> None:
        """Judge what time has brought."""
        if (state := self.facts.state) is not None:
            self._judge(_PASSING, Passing(self.facts, state))

    def ended(self, over: bool) -> None:
        """Judge the end of a run."""
        if (state := self.facts.state) is not None:
            self._judge(_ENDING, Ending(self.facts, state, over))

    def unforeseen(self, error: Exception) -> None:
        """Take down an error that is none of the engine's own."""
        where = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__}: {error} ({where.filename.rpartition('/')[2]}:{where.lineno})"
        self._add(Violation(UNFORESEEN, "No error that nobody foresaw", why, self.facts.now - self.start))

    def _judge(self, checks: list[tuple[Invariant, Checker]], moment: Any) -> None:
        for invariant, check in checks:
            why = check(moment)
            if why is not None:
                self._add(Violation(invariant.number, invariant.text, why, self.facts.now - self.start))

    def _add(self, violation: Violation) -> None:
        # Once each: what stays wrong would be said at every step.
        if all(violation.number != known.number for known in self.violations):
            self.violations.append(violation)
            self.say("VIOLATION", str(violation))

    def say(self, who: str, what: str) -> None:
        """Have something taken down, if anybody does."""
        if self.record is not None:
            self.record.say(who, what)
