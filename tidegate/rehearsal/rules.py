"""Who decides in a rehearsal: this engine's alarms and judge, and what others decide by.

The others are *like* what they are named after: the rule of their documentation or code, with the settings of its
examples. Whoever runs one of them will have tuned it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import NormalDist, median

from lambdas.rollout.judge import Limits, Series, Stratum, Tally, Verdict, judge
from tidegate.rehearsal.plans import Alarm, Look, Ruling
from tidegate.rehearsal.recording import Answered, Period

Count = Callable[[Answered], int]
METRICS: tuple[tuple[str, Count], ...] = (
    ("5xx", lambda answered: answered.errors),
    ("latency", lambda answered: answered.slow),
)


def tallies(answered: Sequence[Answered], count: Count) -> list[Tally]:
    """Return bad and all requests of each period."""
    return [Tally(count(each), each.requests) for each in answered]


def _errors(answered: Answered) -> int:
    return answered.errors


@dataclass(frozen=True)
class Ours:
    """The engine: its alarms on the new version, a step's own limit, and the judge where the policy has one.

    Parameters
    ----------
    alarm
        The alarm on the share of 5xx answers.
    limits
        The judge's; None: nothing is judged.
    has_slow
        Whether slow requests were recorded.
    """

    alarm: Alarm
    limits: Limits | None
    has_slow: bool

    def look(self, seen: Look) -> tuple[Ruling, str]:
        """Roll back on an alarm, a limit or a verdict; go on when the judge says so, or there is none."""
        answered = tallies([period.new for period in seen.history], _errors)
        if self.alarm.rings(answered):
            return Ruling.ROLL_BACK, str(self.alarm)
        if over := self._over_limit(seen.step.error_percent, answered[seen.since :]):
            return Ruling.ROLL_BACK, over
        if self.limits is None:
            return Ruling.GO_ON, ""
        return self._judged(seen, self.limits)

    def _over_limit(self, percent: float | None, answered: Sequence[Tally]) -> str:
        events, total = sum(each.events for each in answered), sum(each.total for each in answered)
        enough = total >= self.alarm.min_requests * self.alarm.of
        if percent is None or not enough or 100 * events <= percent * total:
            return ""
        return f"5xx {events:,}/{total:,}, above the step's {percent:g} %"

    def _judged(self, seen: Look, limits: Limits) -> tuple[Ruling, str]:
        # Recordings hold no answers to compare.
        bare = replace(limits, tolerated_difference=None)
        judgement = judge(series(seen, has_slow=self.has_slow), bare, _step_since(seen))
        if judgement.verdict is Verdict.ROLLBACK:
            return Ruling.ROLL_BACK, judgement.reason
        return (Ruling.GO_ON if judgement.verdict is Verdict.PROMOTE else Ruling.WAIT), judgement.reason


def _step_since(seen: Look) -> float:
    """Return when the present step began; nothing is known of it in its first moment."""
    return seen.history[seen.since].at if seen.since < len(seen.history) else inf


def series(seen: Look, *, has_slow: bool) -> Series:
    """Return what the judge is given."""
    return Series(
        period_seconds=seen.period_seconds,
        errors=_strata(seen.history, _errors),
        latency=_strata(seen.history, lambda answered: answered.slow),
        # A recording says how many were slow, not what slow was; the judge only asks whether that was fixed.
        threshold_ms=1.0 if has_slow else None,
    )


def _strata(history: Sequence[Period], count: Count) -> tuple[Stratum, ...]:
    return tuple(
        Stratum(
            period.at,
            Tally(count(period.new), period.new.requests),
            Tally(count(period.live), period.live.requests),
        )
        for period in history
    )


@dataclass(frozen=True)
class Guardrails:
    """SageMaker's deployment guardrails: an alarm on both fleets together, for they share one variant's name."""

    alarm: Alarm

    def look(self, seen: Look) -> tuple[Ruling, str]:
        """Roll back on the alarm."""
        both = tallies([period.new + period.live for period in seen.history], _errors)
        return (Ruling.ROLL_BACK, str(self.alarm)) if self.alarm.rings(both) else (Ruling.GO_ON, "")


@dataclass(frozen=True)
class ArgoLike:
    """An analysis of Argo Rollouts: a success rate per interval, and how many intervals may fail.

    Parameters
    ----------
    success
        ``successCondition``: the least share of answers that are not 5xx.
    failure_limit
        ``failureLimit``: intervals that may fail; one more ends it.
    """

    success: float = 0.95
    failure_limit: int = 3

    def look(self, seen: Look) -> tuple[Ruling, str]:
        """Roll back when too many intervals have failed."""
        measured = tallies([period.new for period in seen.history], _errors)
        failed = sum(each.fine < self.success * each.total for each in measured)
        if failed > self.failure_limit:
            return Ruling.ROLL_BACK, f"{failed} intervals below a success rate of {self.success:g}"
        return Ruling.GO_ON, ""


@dataclass(frozen=True)
class KayentaLike:
    """Kayenta's judge (NetflixACAJudge): Mann-Whitney over each metric's values per period.

    A metric is High when the confidence interval of the difference lies above a quarter of its own estimate, and the
    mean is not below the live version's. Periods without requests are removed.

    Parameters
    ----------
    every
        Periods between two analyses.
    confidence
        Of the interval.
    tolerance
        Share of the estimate that the interval must exceed.
    """

    every: int = 5
    confidence: float = 0.98
    tolerance: float = 0.25

    def look(self, seen: Look) -> tuple[Ruling, str]:
        """Roll back when a metric is High."""
        # With all the traffic on the new version there is nothing more to compare.
        both = [period for period in seen.history if period.new.requests and period.live.requests]
        if not both or len(seen.history) % self.every or len(both) < len(seen.history):
            return Ruling.GO_ON, ""
        for name, count in METRICS:
            new = [count(period.new) / period.new.requests for period in both]
            live = [count(period.live) / period.live.requests for period in both]
            if self._is_high(new, live):
                return Ruling.ROLL_BACK, f"{name} was classified as High"
        return Ruling.GO_ON, ""

    def _is_high(self, new: list[float], live: list[float]) -> bool:
        if sum(new) < sum(live) or sorted(new) == sorted(live):
            return False
        differences = sorted(mine - other for mine in new for other in live)
        lowest = differences[self._rank(len(new), len(live))]
        return lowest > self.tolerance * abs(median(differences))

    def _rank(self, new: int, live: int) -> int:
        z = NormalDist().inv_cdf(0.5 + self.confidence / 2)
        rank = new * live / 2 - z * (new * live * (new + live + 1) / 12) ** 0.5
        return max(int(rank), 0)
