"""What a cycle comes to, and the small vocabulary in which the steps of the engine say it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.contract import FULL_WEIGHT
from lambdas.rollout.actions import Action
from lambdas.rollout.observation import EndpointView, Observation
from lambdas.rollout.replacing import replace
from lambdas.rollout.state import Notice, Phase, Rollout, State

_WAITING_POLL = 15.0
_MOST_NOTICES, _LONGEST_SUBJECT, _LONGEST_TEXT = 20, 200, 1500

ANEW = "reject it and approve it again"
"""How to have a version rolled out whose approval still stands."""

LONGEST_WAIT = 45.0
"""Every active endpoint is looked at at least this often; less than a minute, so that each sweep finds it due again."""


@dataclass(frozen=True)
class Entry:
    """A line of the audit trail: a sentence for a person, and the numbers in it for a program."""

    kind: str
    text: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    rollout: str | None = None
    phase: str | None = None
    step: int | None = None


@dataclass(frozen=True)
class Decision:
    """The outcome of one cycle.

    Parameters
    ----------
    state
        What is to be durable before anything else happens.
    action
        The one thing to ask of AWS, if any.
    wake_at
        When to look again at the latest; None when nothing is under way. A time that has come means at once.
    entries
        New lines of the audit trail.
    ended
        The rollout that this decision ends, in its terminal phase.
    heeded
        Whether what became of the previous action has been dealt with; if not, the next cycle is told of it again.
    """

    state: State
    action: Action | None = None
    wake_at: float | None = None
    entries: tuple[Entry, ...] = ()
    ended: Rollout | None = None
    heeded: bool = True


@dataclass(frozen=True)
class Turn:
    """One cycle: the durable state, what was seen, and the time."""

    state: State
    seen: Observation
    now: float

    @property
    def endpoint(self) -> EndpointView:
        """The endpoint as it was seen."""
        return self.seen.endpoint

    @property
    def rollout(self) -> Rollout:
        """The active rollout; only asked for by steps that run while there is one."""
        if self.state.rollout is None:
            raise LookupError(f"{self.state.name} has no active rollout")
        return self.state.rollout

    def wait(self, seconds: float, *, state: State | None = None, entries: tuple[Entry, ...] = ()) -> Decision:
        """Look again after `seconds`."""
        return Decision(state or self.state, wake_at=self.now + seconds, entries=entries)

    def rest(self) -> Decision:
        """Nothing is under way, so that the sweeper looks next; what waits to be started is looked at sooner."""
        return self.wait(_WAITING_POLL) if self.state.has_work else Decision(self.state)

    def act(self, action: Action, entries: tuple[Entry, ...] = (), **changes: Any) -> Decision:
        """Ask `action` of AWS once the changes to the rollout are durable."""
        return Decision(self.changed(**changes), action, self.now, entries)

    def again(self, *entries: Entry, **changes: Any) -> Decision:
        """Make the changes to the rollout durable and look again at once."""
        return Decision(self.changed(**changes), wake_at=self.now, entries=entries)

    def aside(self, *entries: Entry, **changes: Any) -> Decision:
        """Make changes durable that have nothing to do with what became of the previous action."""
        return replace(self.again(*entries, **changes), heeded=False)

    @property
    def share(self) -> float:
        """Percentage of the traffic that the new version takes, as it is on the endpoint."""
        total = sum(variant.weight for variant in self.endpoint.variants.values())
        variant = self.endpoint.variants.get(self.rollout.slot)
        return FULL_WEIGHT * variant.weight / total if variant and total else 0.0

    def move(
        self, phase: Phase, kind: str, text: str, numbers: Mapping[str, Any] | None = None, **changes: Any
    ) -> Decision:
        """Take the rollout to another phase, say so, and look again at once."""
        rollout = self.rollout.moved(phase, self.now, **changes)
        entry = Entry(kind, text, numbers or {}, rollout.id, phase, rollout.step)
        return Decision(replace(self.state, rollout=rollout), wake_at=self.now, entries=(entry,))

    def hold(self, remark: str, text: str, seconds: float) -> Decision:
        """Wait for something that a person may want to know of; said once for as long as it lasts."""
        if self.rollout.remark == remark:
            return self.wait(seconds)
        return self.wait(seconds, state=self.changed(remark=remark), entries=(self.entry("hold", text),))

    def entry(self, kind: str, text: str, **numbers: Any) -> Entry:
        """Return an audit entry about the active rollout."""
        return Entry(kind, text, numbers, self.rollout.id, self.rollout.phase, self.rollout.step)

    def changed(self, **changes: Any) -> State:
        """Return the state with changes to its rollout."""
        return replace(self.state, rollout=replace(self.rollout, **changes)) if changes else self.state


def with_notice(state: State, subject: str, text: str) -> State:
    """Return the state with a notification to send; of too many that wait, the oldest are given up."""
    notice = Notice(subject[:_LONGEST_SUBJECT], text[:_LONGEST_TEXT])
    return replace(state, outbox=(*state.outbox, notice)[-_MOST_NOTICES:])


def seconds(value: float) -> str:
    """Return a duration as a person says it."""
    if value < 120:
        return f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 7200 else f"{value / 3600:.1f} h"
