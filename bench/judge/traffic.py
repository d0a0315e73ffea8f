"""Simulated traffic: what two versions answer, period by period."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Metric = Literal["errors", "latency"]

LATENCY_SIGMA = 0.5
"""Latencies are lognormal; at this sigma the 99th percentile is 3.2 times the median."""

ALARM_P99 = 1.5
"""Where the peer's latency alarm stands, in times the live version's 99th percentile."""

_SECONDS = 60
_STANDARD = NormalDist()


@dataclass(frozen=True)
class Outage:
    """The new version fails for a while.

    Parameters
    ----------
    minute, minutes
        From when and for how long.
    share
        Of its answers that are bad meanwhile.
    """

    minute: int
    minutes: int
    share: float


@dataclass(frozen=True)
class Traffic:
    """What is simulated.

    Parameters
    ----------
    per_second
        Requests to the endpoint; how many come in a period is Poisson.
    weights
        The new version's shares of them, each for an equal part of the time.
    live
        Share of bad answers of the live version.
    rising
        How many times as high both versions' shares are at the end; they rise evenly.
    ratio
        How many times as bad the new version is. For latency: how many times as long its tail is.
    noise
        Coefficient of variation of each version's own share, drawn anew (gamma) each minute.
    outage
        A time in which the new version fails.
    metrics
        What is watched. A latency's bad answers are those above the live version's 99th percentile.
    minutes, looks_a_minute
        How long, and how often anybody looks.
    """

    per_second: float = 100
    weights: tuple[float, ...] = (0.05,)
    live: float = 0.01
    rising: float = 1
    ratio: float = 1
    noise: float = 0
    outage: Outage | None = None
    metrics: tuple[Metric, ...] = ("errors",)
    minutes: int = 60
    looks_a_minute: int = 1

    @property
    def looks(self) -> int:
        """How many periods there are."""
        return self.minutes * self.looks_a_minute

    @property
    def period_seconds(self) -> int:
        """Length of a period."""
        return _SECONDS // self.looks_a_minute


@dataclass(frozen=True)
class Counts:
    """Counts of runs x looks.

    Parameters
    ----------
    new, live
        Requests that the versions answered.
    new_bad, live_bad
        The bad ones.
    alarming
        Those of the new version that a fixed alarm counts: errors, or answers above its limit.
    """

    new: Integers
    live: Integers
    new_bad: Integers
    live_bad: Integers
    alarming: Integers

    def by_minute(self, looks_a_minute: int) -> "Counts":
        """Return the counts of whole minutes."""

        def summed(each: Integers) -> Integers:
            return np.asarray(each.reshape(len(each), -1, looks_a_minute).sum(axis=2))

        return Counts(*(summed(each) for each in (self.new, self.live, self.new_bad, self.live_bad, self.alarming)))


def draw(traffic: Traffic, runs: int, random: np.random.Generator) -> Mapping[Metric, Counts]:
    """Return a number of runs of the traffic."""
    total = random.poisson(traffic.per_second * traffic.period_seconds, (runs, traffic.looks))
    weight = np.repeat(traffic.weights, traffic.looks // len(traffic.weights))
    new = random.binomial(total, weight)
    return {metric: _counts(traffic, metric, new, total - new, random) for metric in traffic.metrics}


def _counts(traffic: Traffic, metric: Metric, new: Integers, live: Integers, random: np.random.Generator) -> Counts:
    base = traffic.live * np.linspace(1, traffic.rising, traffic.looks)
    live_bad = random.binomial(live, _noisy(base, traffic, len(new), random))
    share = _noisy(base * worse(traffic, metric), traffic, len(new), random)
    if traffic.outage is not None:
        _fail(share, traffic.outage, traffic.looks_a_minute)
    new_bad = random.binomial(new, share)
    alarming = new_bad if metric == "errors" else random.binomial(new_bad, _beyond(traffic.ratio))
    return Counts(new, live, new_bad, live_bad, alarming)


def worse(traffic: Traffic, metric: Metric) -> float:
    """Return how many times as many of the new version's answers are bad."""
    return traffic.ratio if metric == "errors" else _above(1 / traffic.ratio) / 0.01


def _above(times: float) -> float:
    """Return the share of latencies above so many times their 99th percentile."""
    return 1 - _STANDARD.cdf(_STANDARD.inv_cdf(0.99) + math.log(times) / LATENCY_SIGMA)


def _beyond(ratio: float) -> float:
    """Return the share of the new version's slow answers that are above the alarm's limit."""
    return _above(ALARM_P99 / ratio) / _above(1 / ratio)


def _noisy(share: Floats, traffic: Traffic, runs: int, random: np.random.Generator) -> Floats:
    if not traffic.noise:
        return np.tile(share, (runs, 1))
    shape = 1 / traffic.noise**2
    factors = random.gamma(shape, 1 / shape, (runs, traffic.minutes))
    return np.minimum(share * np.repeat(factors, traffic.looks_a_minute, axis=1), 1)


def _fail(share: Floats, outage: Outage, looks_a_minute: int) -> None:
    start = outage.minute * looks_a_minute
    share[:, start : start + outage.minutes * looks_a_minute] = outage.share
