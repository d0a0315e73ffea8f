"""What a decision comes to, and the vocabulary in which its parts say it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from lambdas.monitoring.times import stamp
from lambdas.retraining.said import Given, Live
from lambdas.retraining.settings import Settings
from lambdas.retraining.state import LONGEST_TEXT, Approval, Message, Run, State, Summary

NOTICE, FAULT, EVENT = "notice", "fault", "event"
_MOST_MESSAGES = 30
_LONGEST_FIELDS = {"reason": LONGEST_TEXT, "text": LONGEST_TEXT, "numbers": LONGEST_TEXT}
_LONGEST_FIELD = 300


@dataclass(frozen=True)
class Entry:
    """A line of the audit trail: a sentence for a person, and the numbers in it for a program."""

    kind: str
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    run: str | None = None


@dataclass(frozen=True)
class Start:
    """Write the run's manifests and start its execution; `find` first when an earlier try may have begun one."""

    run: Run
    find: bool


@dataclass(frozen=True)
class Follow:
    """Look at the run's execution, and at what it left once it is over."""

    run: Run


@dataclass(frozen=True)
class Stop:
    """Have the run's execution stopped."""

    run: Run


@dataclass(frozen=True)
class Approve:
    """Approve a version, unless a person has decided on it."""

    approval: Approval


Action = Start | Follow | Stop | Approve


@dataclass(frozen=True)
class Decision:
    """What is to be durable before anything else happens, and the one thing to do then.

    `notices` is what this decision adds to the state's outbox, from where it is told at least once.
    """

    state: State
    action: Action | None = None
    entries: tuple[Entry, ...] = ()
    summary: Summary | None = None
    notices: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Turn:
    """One decision: the durable state, what was said, the time, the settings, and what has been decided so far."""

    state: State
    given: Given
    now: float
    settings: Settings
    entries: tuple[Entry, ...] = ()
    summary: Summary | None = None
    notices: tuple[Message, ...] = ()

    @property
    def live(self) -> Live:
        """What is live."""
        return self.given.live

    @property
    def run(self) -> Run:
        """The run that is under way; only asked for by steps that follow one."""
        if self.state.run is None:
            raise LookupError(f"no run of {self.state.name} is under way")
        return self.state.run

    def having(self, **changes: Any) -> "Turn":
        """Return the turn with changes to the state."""
        return replace(self, state=replace(self.state, **changes))

    def with_run(self, **changes: Any) -> "Turn":
        """Return the turn with changes to the run."""
        return self.having(run=replace(self.run, **changes))

    def saying(self, kind: str, text: str, run: str | None = None, **numbers: Any) -> "Turn":
        """Return the turn with a line of the audit trail."""
        return replace(self, entries=(*self.entries, Entry(kind, text[:LONGEST_TEXT], numbers, run)))

    def summing_up(self, summary: Summary) -> "Turn":
        """Return the turn with the run's summary."""
        return replace(self, summary=summary)

    def telling(self, kind: str, subject: str, text: str) -> "Turn":
        """Return the turn with something to tell; of too much that waits, the oldest is given up."""
        # An event is JSON, made small where it is made: cut here, it would be none.
        message = Message(kind, subject[:200], text if kind == EVENT else text[: 4 * LONGEST_TEXT])
        outbox = (*self.state.outbox, message)[-_MOST_MESSAGES:]
        return replace(self.having(outbox=outbox), notices=(*self.notices, message))

    def announcing(self, run: Run, happened: str, **more: Any) -> "Turn":
        """Return the turn with the event that a run has begun or ended."""
        detail = {
            "endpoint": self.state.name,
            "run": run.id,
            "happened": happened,
            "trigger": run.trigger,
            "reason": run.reason,
            "champion": run.champion.version,
            "execution": run.execution,
            "at": stamp(self.now),
            **more,
        }
        return self.telling(EVENT, happened, json.dumps({name: _capped(name, value) for name, value in detail.items()}))

    def decided(self, action: Action | None = None) -> Decision:
        """Return the decision."""
        return Decision(self.state, action, self.entries, self.summary, self.notices)


def _capped(name: str, value: Any) -> Any:
    """Return an event's field, cut to so many characters of JSON, which has up to twelve for one of a text."""
    most = _LONGEST_FIELDS.get(name, _LONGEST_FIELD)
    if isinstance(value, str):
        return _cut(value, most)
    written = json.dumps(value)
    # What is no number in JSON would spoil the event; half of what was measured would say something else than all.
    return json.loads(written, parse_constant=lambda _: None) if len(written) <= most else None


def _cut(text: str, most: int) -> str:
    while (excess := len(json.dumps(text)) - most) > 0:
        text = text[: -max(excess // 12, 1)]
    return text


def said_at(at: float) -> str:
    """Return a time as a person reads it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def month_of(at: float) -> str:
    """Return the calendar month of a time."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m}"


def next_month(at: float) -> str:
    """Return the first day of the month after a time's."""
    today = datetime.fromtimestamp(at, UTC)
    year, month = (today.year + 1, 1) if today.month == 12 else (today.year, today.month + 1)
    return f"{year}-{month:02d}-01"
