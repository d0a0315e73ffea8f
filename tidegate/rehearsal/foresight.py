"""What a plan will be able to see at a given traffic, before it starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambdas.rollout.judge import Limits
from lambdas.rollout.judge.planning import Traffic, seconds_to_see, seconds_to_trust
from lambdas.rollout.policy import Policy
from tidegate.rehearsal.plans import PlannedStep, plan_of
from tidegate.rehearsal.recording import Recording
from tidegate.rehearsal.words import percent

BLIND_RATIO = 10.0
"""A plan sees nothing when it overlooks a version that is ten times as bad, and fails twice what is tolerated."""

SLOW_SHARE = 0.01
"""By definition of the 99th percentile, beyond which a request is slow."""

_HOUR = 3600


@dataclass(frozen=True)
class Expected:
    """The traffic that is expected.

    Parameters
    ----------
    per_second
        Requests a second.
    errors, slow
        Share of them that fail, and that are slow, on the live version; None: not judged.
    quietest
        Requests a second in the quietest hour, where that is known.
    source
        Where this comes from, for people.
    """

    per_second: float
    errors: float
    slow: float | None = SLOW_SHARE
    quietest: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Sight:
    """What one metric shows at one step.

    Parameters
    ----------
    metric
        ``5xx`` or ``latency``.
    traffic
        The step's.
    tolerated
        Share of bad requests that is tolerated.
    limits
        The judge's.
    period_seconds
        Length of the periods that it looks at.
    """

    metric: str
    traffic: Traffic
    tolerated: float
    limits: Limits
    period_seconds: int

    def seconds(self, ratio: float) -> float:
        """Return the seconds of this traffic until a version is rolled back that is so many times as bad."""
        return seconds_to_see(self.traffic, ratio, self.limits, self.period_seconds)

    @property
    def trust_seconds(self) -> float:
        """Seconds of this traffic until a version as good as the live one is known not to be worse."""
        return seconds_to_trust(self.traffic, self.limits, self.tolerated, self.period_seconds)

    @property
    def blind_ratio(self) -> float:
        """How many times as bad a version is that no plan may overlook."""
        return max(BLIND_RATIO, 2 * self.tolerated / self.traffic.bad_share)

    def tolerates(self, ratio: float) -> bool:
        """Return whether a version so many times as bad may pass a step, unless it is found to be worse before."""
        return self.traffic.bad_share * ratio < self.tolerated


@dataclass(frozen=True)
class StepSight:
    """A step before all the traffic, and what it shows.

    Parameters
    ----------
    step
        The step.
    patience_seconds
        How long it waits for evidence.
    sights
        What each metric shows.
    """

    step: PlannedStep
    patience_seconds: float
    sights: tuple[Sight, ...]

    def watched(self, sight: Sight, ratio: float) -> float:
        """Return how long a version so many times as bad stays here: only one that is tolerated goes on."""
        if sight.tolerates(ratio):
            return min(max(self.step.seconds, sight.trust_seconds), self.patience_seconds)
        return self.patience_seconds


@dataclass(frozen=True)
class Foresight:
    """What a plan will see.

    Parameters
    ----------
    steps
        The steps that compare the two versions: all but the last.
    wanted_ratio
        How many times as bad a version is that should be seen.
    """

    steps: tuple[StepSight, ...]
    wanted_ratio: float

    def seen_after(self, metric: int, ratio: float) -> float | None:
        """Return the seconds of the rollout until such a version is rolled back; None: not before all the traffic."""
        found = [(each, each.sights[metric]) for each in self.steps]
        return enough_after([(each.watched(sight, ratio), sight.seconds(ratio)) for each, sight in found])

    @property
    def blind(self) -> bool:
        """Whether there are steps, and no metric would show at any of them a version that is far worse."""
        seen = [self.seen_after(metric, sight.blind_ratio) for metric, sight in self._metrics]
        return bool(seen) and all(each is None for each in seen)

    @property
    def warnings(self) -> list[str]:
        """What it will not see, and where a good version will be held up, in words."""
        if not self.steps:
            return ["there is no step before all the traffic: nothing is compared"]
        return [*self._unseen(), *self._held_up()]

    @property
    def _metrics(self) -> list[tuple[int, Sight]]:
        return list(enumerate(self.steps[0].sights)) if self.steps else []

    def _unseen(self) -> Iterator[str]:
        ratio = self.wanted_ratio
        for metric, sight in self._metrics:
            if self.seen_after(metric, ratio) is not None:
                continue
            worse = f"{sight.metric}: a version {ratio:g} times as bad ({percent(sight.traffic.bad_share * ratio)})"
            within = f" is within the tolerated {percent(sight.tolerated)}, and" if sight.tolerates(ratio) else ""
            yield f"{worse}{within} is not seen before it takes all the traffic"

    def _held_up(self) -> Iterator[str]:
        for metric, sight in self._metrics:
            for number, each in enumerate(self.steps, start=1):
                # Each step gathers anew what speaks for the version.
                if each.sights[metric].trust_seconds > each.patience_seconds:
                    step = f"step {number} ({each.step.weight:g} %)"
                    yield f"{sight.metric}: {step} may end before it is sure that a good version is no worse"


def enough_after(parts: Sequence[tuple[float, float]]) -> float | None:
    """Return after how long the evidence of successive steps is enough; None when it never is.

    Each step gives its time, and the time that evidence would take there alone: what it gains is the one divided by the
    other.
    """
    gained = elapsed = 0.0
    for watched, needed in parts:
        gain = watched / needed
        if gained + gain >= 1:
            return elapsed + (1 - gained) * needed
        gained, elapsed = gained + gain, elapsed + watched
    return None


def foresee(policy: Policy, expected: Expected, period_seconds: int, wanted_ratio: float) -> Foresight:
    """Return what a judged policy will see at this traffic."""
    assert policy.judge is not None
    plan, limits = plan_of(policy), policy.judge.limits
    metrics = [("5xx", expected.errors, limits.tolerated_error)]
    if expected.slow is not None:
        metrics.append(("latency", expected.slow, limits.tolerated_slow))

    def sights(step: PlannedStep) -> tuple[Sight, ...]:
        return tuple(
            Sight(name, Traffic(expected.per_second, share, step.weight / 100), tolerated, limits, period_seconds)
            for name, share, tolerated in metrics
        )

    steps = [StepSight(step, max(step.seconds, plan.horizon_seconds), sights(step)) for step in plan.steps[:-1]]
    return Foresight(tuple(steps), wanted_ratio)


def expected_of(recorded: Recording) -> Expected:
    """Return the traffic of a recording, on average, as what is expected."""
    requests = sum(period.requests for period in recorded.periods)
    live = recorded.live
    # Of a version that never failed in N requests no more is known than that it fails in fewer than one of N.
    errors = max(live.errors, 1) / max(live.requests, 1)
    slow = (live.slow / live.requests or SLOW_SHARE) if recorded.has_slow and live.requests else None
    return Expected(requests / recorded.seconds, errors, slow, _quietest(recorded), recorded.source)


def _quietest(recorded: Recording) -> float | None:
    size = max(_HOUR // recorded.period_seconds, 1)
    counts = [period.requests for period in recorded.periods]
    hours = [sum(counts[start : start + size]) for start in range(0, len(counts) - size + 1, size)]
    return min(hours) / (size * recorded.period_seconds) if hours else None
