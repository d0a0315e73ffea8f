"""The product's own judge at every look of a run.

``judge`` computes everything anew at each look. Here the sums are kept from look to look, because there are millions of
them; a test holds the two against each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, log

from bench.judge.traffic import Counts, Metric, Traffic
from lambdas.rollout.judge import Limits, Series, Stratum, Tally
from lambdas.rollout.judge.beside import Beside
from lambdas.rollout.judge.judgement import condemns, vouches
from lambdas.rollout.judge.pairs import Share
from lambdas.rollout.judge.rates import Rates

LIMITS = Limits()
TOLERATED: Mapping[Metric, float] = {"errors": LIMITS.tolerated_error, "latency": LIMITS.tolerated_slow}

_ENOUGH = log(LIMITS.level)


@dataclass(frozen=True)
class Verdicts:
    """At which look a version was rolled back and promoted; 0 is never.

    One that was promoted is watched further, but one that was rolled back is not promoted any more.
    """

    rolled_back: int
    promoted: int


class Watched:
    """A metric of one run: what the product says of it, and whether it is worth while to ask.

    Most looks decide nothing, and how noisy the minutes are is what takes time. Tempering only ever takes from
    evidence, so that evidence which is too little untempered need not be tempered.
    """

    def __init__(self, metric: Metric, limits: Limits) -> None:
        self._limits = limits  # of harm; what a step passes with is the same whenever it began
        self._enough = log(limits.level)
        self._beside = Beside(metric, limits.margin, TOLERATED[metric])
        self._rates, self._own = Rates(limits.margin), Share(TOLERATED[metric])

    def add(self, stratum: Stratum) -> None:
        """Take in one period."""
        self._beside.add(stratum)
        self._rates.add(stratum)
        self._own.add(stratum.new)

    @property
    def condemned(self) -> bool:
        """Whether the product rolls back now."""
        return self._rates.harm >= self._enough and condemns(self._beside.finding, self._limits)

    @property
    def vouched_for(self) -> bool:
        """Whether the product would promote now."""
        most = max(self._rates.assurance, self._own.assurance)
        return most >= _ENOUGH and vouches(self._beside.finding, LIMITS)


class Beginning:
    """What is counted from a look on, which needs so many times as much evidence as from the first one on."""

    def __init__(self, metrics: Iterable[Metric], caution: float = 1, last: float = inf) -> None:
        limits = replace(LIMITS, level=LIMITS.level * caution, breaker=LIMITS.breaker * caution)
        self.every = [Watched(metric, limits) for metric in metrics]
        self.last = last
        """The look after which it is given up for a later beginning."""

    def add(self, period: Sequence[Stratum]) -> None:
        """Take in one period of all metrics."""
        for watched, stratum in zip(self.every, period, strict=True):
            watched.add(stratum)

    @property
    def condemned(self) -> bool:
        """Whether the product rolls back now."""
        return any(watched.condemned for watched in self.every)

    @property
    def vouched_for(self) -> bool:
        """Whether the product would promote now."""
        return all(watched.vouched_for for watched in self.every)


def play(drawn: Mapping[Metric, Counts], run: int, traffic: Traffic) -> Verdicts:
    """Return what becomes of one run, whose weights are steps of a rollout."""
    step = beginning = Beginning(drawn)
    later: list[Beginning] = []
    promoted = 0
    periods = zip(*(strata(counts, run, traffic) for counts in drawn.values()), strict=True)
    for look, period in enumerate(periods, start=1):
        since = step_of(look, traffic)
        later = [each for each in later if look <= each.last and look > since]
        if starts := _starting(drawn, look, since, traffic):
            later.append(starts)
            step = starts if look == since else step
        for each in (beginning, *later):
            each.add(period)
        if any(each.condemned for each in (beginning, *later)):
            return Verdicts(look, promoted)
        if not promoted and step.vouched_for:
            promoted = look
    return Verdicts(0, promoted)


def step_of(look: int, traffic: Traffic) -> int:
    """Return the first look at the weight of a look; looks are counted from 1."""
    length = traffic.looks // len(traffic.weights)
    return (look - 1) // length * length + 1


def _starting(metrics: Iterable[Metric], look: int, since: int, traffic: Traffic) -> Beginning | None:
    """Return the beginning of a step or an hour of it; that of the first step adds nothing to the first look's."""
    hour, within = divmod(look - since, 60 * traffic.looks_a_minute)
    if within or look == 1:
        return None
    return Beginning(metrics, (hour + 1) * (hour + 2), look + 120 * traffic.looks_a_minute - 1)


def strata(counts: Counts, run: int, traffic: Traffic) -> Sequence[Stratum]:
    """Return the periods of a run as the product has them."""
    columns = (counts.new_bad[run], counts.new[run], counts.live_bad[run], counts.live[run])
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(
        Stratum(float(number * traffic.period_seconds), Tally(new_bad, new), Tally(live_bad, live))
        for number, (new_bad, new, live_bad, live) in enumerate(rows)
    )


def series(drawn: Mapping[Metric, Counts], run: int, traffic: Traffic) -> Series:
    """Return a run as the product would read it."""
    every = {metric: tuple(strata(counts, run, traffic)) for metric, counts in drawn.items()}
    latency = every.get("latency", ())
    return Series(
        traffic.period_seconds,
        errors=every.get("errors", ()),
        latency=latency,
        threshold_ms=1.0 if latency else None,
    )
