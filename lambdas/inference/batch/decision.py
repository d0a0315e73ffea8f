"""What is decided about batches: what to make durable, and what to do then."""

import json
from dataclasses import dataclass, replace
from typing import Any

from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import REMEMBERED_ANSWERS, Answer, Message, Outcome, Run, State, Summary
from lambdas.monitoring.times import stamp

EVENT, FAULT, MODEL = "event", "fault", "model"
LONGEST_TEXT = 1000
_MOST_MESSAGES = 20


@dataclass(frozen=True)
class Record:
    """Find out the model and the input, and write them down."""

    run: Run


@dataclass(frozen=True)
class Observe:
    """Look at the input, the outputs and the latest job."""

    run: Run


@dataclass(frozen=True)
class Create:
    """Create the job of the run's attempt, for what is left."""

    run: Run


@dataclass(frozen=True)
class Stop:
    """Stop the job of the run's attempt."""

    run: Run


@dataclass(frozen=True)
class Load:
    """Put the run's answers under their keys, or see how that stands."""

    run: Run


@dataclass(frozen=True)
class Halt:
    """Stop putting the run's answers under their keys."""

    run: Run


@dataclass(frozen=True)
class Finish:
    """Write the run's manifest."""

    run: Run


Action = Record | Observe | Create | Stop | Load | Halt | Finish


@dataclass(frozen=True)
class Decision:
    """What to make durable, and what to do once it is."""

    state: State
    action: Action | None
    summaries: tuple[Summary, ...]


@dataclass(frozen=True)
class Turn:
    """A decision in the making."""

    state: State
    now: float
    plan: Plan
    summaries: tuple[Summary, ...] = ()

    def having(self, **changes: Any) -> "Turn":
        """Return the turn with changes to the state."""
        return replace(self, state=replace(self.state, **changes))

    def with_run(self, **changes: Any) -> "Turn":
        """Return the turn with changes to the run."""
        return self.having(run=replace(self._run, **changes))

    def answered(self, identity: str) -> bool:
        """Return whether a command was taken in before."""
        return any(answer.id == identity for answer in self.state.answers)

    def answering(self, answer: Answer) -> "Turn":
        """Return the turn with an answer to a command."""
        return self.having(answers=(*self.state.answers, answer)[-REMEMBERED_ANSWERS:])

    def summing_up(self, outcome: str = "", text: str = "") -> "Turn":
        """Return the turn with the run's summary as it now is."""
        others = tuple(each for each in self.summaries if each.run.id != self._run.id)
        summary = Summary(self._run, outcome, text[:LONGEST_TEXT], self.now if outcome else None)
        return replace(self, summaries=(*others, summary))

    def announcing(self, happened: str, **more: Any) -> "Turn":
        """Return the turn with an event about the run."""
        run, plan = self._run, self.plan
        detail = {
            "endpoint": self.state.name,
            "run": run.id,
            "happened": happened,
            "trigger": run.wish.trigger,
            "by": run.wish.by,
            "input": run.wish.input,
            "output": f"s3://{plan.bucket}/{plan.output_folder(run.id)}",
            "version": run.model.version if run.model else None,
            "objects": run.objects,
            "bytes": run.bytes,
            "jobs": run.attempt,
            "at": stamp(self.now),
            **more,
        }
        return self.telling(EVENT, json.dumps(detail))

    def telling(self, kind: str, text: str) -> "Turn":
        """Return the turn with something to tell; of too much that waits, the oldest is given up."""
        return self.having(outbox=(*self.state.outbox, Message(kind, text))[-_MOST_MESSAGES:])

    def ended(self, outcome: Outcome, text: str) -> "Turn":
        """Return the turn with the run at its end."""
        run, text = self._run, text[:LONGEST_TEXT]
        folder = f"s3://{self.plan.bucket}/{self.plan.run_folder(run.id)}"
        manifest = f"{folder}manifest.json" if outcome is Outcome.DONE else None
        turn = self.summing_up(outcome.value, text).announcing(outcome.value, reason=text, manifest=manifest)
        if outcome is Outcome.FAILED:
            turn = turn.telling(FAULT, f"the batch {run.id} failed: {text}")
        turn = turn.telling(MODEL, self.plan.model(run.id))
        return turn.having(run=None)

    def decided(self, action: Action | None = None) -> Decision:
        """Return the decision."""
        return Decision(self.state, action, self.summaries)

    @property
    def _run(self) -> Run:
        if self.state.run is None:
            raise LookupError("no run is under way")
        return self.state.run
