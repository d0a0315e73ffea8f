"""A rollout on a virtual clock: period by period through a plan, with a rule that looks at the end of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from lambdas.rollout.policy.judging import ASK, RAISE
from tidegate.rehearsal.plans import Contender, Look, Ruling
from tidegate.rehearsal.recording import Answered, Period
from tidegate.rehearsal.traffic import Traffic


class End(StrEnum):
    """How a rehearsal ended."""

    PROMOTED = "promoted"
    ROLLED_BACK = "rolled back"
    ASKS = "waits for a person"
    UNFINISHED = "still on its way when the recording ends"


@dataclass(frozen=True)
class Run:
    """One rehearsal.

    Parameters
    ----------
    end
        How it ended.
    seconds
        After how long.
    reason
        Why, in the rule's words.
    weights
        (seconds, weight) of each step that was reached.
    new
        What the new version answered in all.
    hurt
        How many more of these were bad than the live version would have given.
    """

    end: End
    seconds: float
    reason: str
    weights: tuple[tuple[float, float], ...]
    new: Answered
    hurt: float


def replay(contender: Contender, traffic: Traffic, start: int, random: Random, longest: int | None = None) -> Run:
    """Rehearse one rollout that begins in period `start`, for at most `longest` periods."""
    rehearsal = _Rehearsal(contender, traffic, random)
    end = len(traffic.recording.periods)
    for index in range(start, end if longest is None else min(end, start + longest)):
        if (run := rehearsal.period(index)) is not None:
            return run
    return rehearsal.cut_short()


class _Rehearsal:
    def __init__(self, contender: Contender, traffic: Traffic, random: Random) -> None:
        self._contender, self._plan = contender, contender.plan
        self._traffic, self._random = traffic, random
        self._history: list[Period] = []
        self._weights = [(0.0, self._plan.steps[0].weight)]
        self._step = self._since = 0
        self._asked_for = 0.0
        self._reason = ""

    def period(self, index: int) -> Run | None:
        """Let a period pass; return the rehearsal when that ended it."""
        step = self._plan.steps[self._step]
        self._history.append(self._traffic.at(self._random, index, step.weight))
        seen = Look(self._history, step, self._since, self._traffic.recording.period_seconds)
        ruling, self._reason = self._contender.rule.look(seen)
        if ruling is Ruling.ROLL_BACK:
            return self._ended(End.ROLLED_BACK, self._reason)
        if self._watched() and self._may_go_on(ruling):
            return self._go_on()
        return self._late()

    def cut_short(self) -> Run:
        """Return the rehearsal as it stands when there is no more recording."""
        return self._ended(End.ASKS if self._asked_for else End.UNFINISHED, self._reason)

    @property
    def _period_seconds(self) -> int:
        return self._traffic.recording.period_seconds

    @property
    def _at_step(self) -> float:
        return (len(self._history) - self._since) * self._period_seconds

    def _watched(self) -> bool:
        step = self._plan.steps[self._step]
        answered = sum(period.new.requests for period in self._history[self._since :])
        return self._at_step >= step.seconds and answered >= step.min_requests

    def _may_go_on(self, ruling: Ruling) -> bool:
        """Return whether the step passes, by the rule or because its horizon is over and the policy says so."""
        # With all the traffic there is nothing left to compare with: the last step asks only that nothing objects.
        if ruling is Ruling.GO_ON or self._plan.is_last(self._step):
            return True
        if self._at_step < self._plan.horizon_seconds:
            return False
        if self._plan.inconclusive == RAISE and not self._plan.is_last(self._step + 1):
            return True
        if self._plan.inconclusive in (ASK, RAISE):
            self._asked_for += self._period_seconds
        return False

    def _go_on(self) -> Run | None:
        if self._plan.is_last(self._step):
            return self._ended(End.PROMOTED, "")
        self._step += 1
        self._since, self._asked_for = len(self._history), 0.0
        self._weights.append((len(self._history) * self._period_seconds, self._plan.steps[self._step].weight))
        return None

    def _late(self) -> Run | None:
        deadline = self._plan.deadline_seconds
        if deadline is None or self._at_step - self._asked_for <= deadline:
            return None
        return self._ended(End.ROLLED_BACK, f"no step was finished for {deadline:g} s; {self._reason}")

    def _ended(self, end: End, reason: str) -> Run:
        new = sum((period.new for period in self._history), Answered())
        seconds = float(len(self._history) * self._period_seconds)
        return Run(end, seconds, reason, tuple(self._weights), new, self._hurt(self._history))

    def _hurt(self, history: Sequence[Period]) -> float:
        live = self._traffic.recording.live
        usual = live.bad / live.requests if live.requests else 0.0
        return max(sum(period.new.bad - period.new.requests * _share(period.live, usual) for period in history), 0.0)


def _share(live: Answered, usual: float) -> float:
    return live.bad / live.requests if live.requests else usual
