"""The product's own judge at every look of a run.

``judge`` computes everything anew at each look. Here the sums are kept from look to look, because there are millions of
them; a test holds the two against each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

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

    def __init__(self, metric: Metric) -> None:
        self._beside = Beside(metric, LIMITS.margin, TOLERATED[metric])
        self._rates, self._own = Rates(LIMITS.margin), Share(TOLERATED[metric])

    def add(self, stratum: Stratum) -> None:
        """Take in one period."""
        self._beside.add(stratum)
        self._rates.add(stratum)
        self._own.add(stratum.new)

    @property
    def condemned(self) -> bool:
        """Whether the product rolls back now."""
        return self._rates.harm >= _ENOUGH and condemns(self._beside.finding, LIMITS)

    @property
    def vouched_for(self) -> bool:
        """Whether the product would promote now."""
        most = max(self._rates.assurance, self._own.assurance)
        return most >= _ENOUGH and vouches(self._beside.finding, LIMITS)


def play(drawn: Mapping[Metric, Counts], run: int, traffic: Traffic) -> Verdicts:
    """Return what becomes of one run."""
    every = [Watched(metric) for metric in drawn]
    periods = zip(*(strata(counts, run, traffic) for counts in drawn.values()), strict=True)
    promoted = 0
    for look, period in enumerate(periods, start=1):
        for watched, stratum in zip(every, period, strict=True):
            watched.add(stratum)
        if any(watched.condemned for watched in every):
            return Verdicts(look, promoted)
        if not promoted and all(watched.vouched_for for watched in every):
            promoted = look
    return Verdicts(0, promoted)


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
