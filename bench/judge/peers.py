"""What others judge with, for all runs at once: each tells at every look whether it would roll back now."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from bench.judge.traffic import Counts, Floats, Metric

Fired = NDArray[np.bool_]

LEVEL = 0.05
"""One-sided, of the tests: a twentieth, as the judge's evidence of 20 : 1."""

LEAST_EXPECTED = 5
"""The usual rule for chi-square: no fewer bad answers expected in a cell."""

ALARM_PERIODS = (2, 3)
ALARM_LEAST_REQUESTS = 10
ALARM_SHARE: dict[Metric, float] = {"errors": 0.05, "latency": 0.01}
"""5 % of errors, as `environments/prod.yaml` has it; a 99th percentile is above a limit when 1 % of the answers are."""

_QUANTILE = NormalDist().inv_cdf(1 - LEVEL)


def chi_square(counts: Counts) -> Fired:
    """Pearson's test of the sums so far, at every look: the habit of looking at a dashboard until it is significant."""
    new, live = counts.new.cumsum(axis=1), counts.live.cumsum(axis=1)
    bad = (counts.new_bad + counts.live_bad).cumsum(axis=1)
    expected = bad * new / (new + live)
    spread = expected * (1 - bad / (new + live)) * live / (new + live)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = (counts.new_bad.cumsum(axis=1) - expected) / np.sqrt(spread)
    return np.asarray((expected >= LEAST_EXPECTED) & (root > _QUANTILE))


def mann_whitney(counts: Counts) -> Fired:
    """Mann and Whitney's test of the minutes' shares so far, at every look (normal, ties and continuity minded)."""
    new, live = percent(counts.new_bad, counts.new), percent(counts.live_bad, counts.live)
    ahead = np.cumsum([_ahead(new, live, look) for look in range(new.shape[1])], axis=0).T
    ties = np.cumsum([_tied(new, live, look) for look in range(new.shape[1])], axis=0).T
    each = np.arange(1, new.shape[1] + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(each**2 / 12 * (2 * each + 1 - ties / (2 * each * (2 * each - 1))))
        score = (ahead - each**2 / 2 - 0.5) / spread
    return np.asarray(score > _QUANTILE)


def _ahead(new: Floats, live: Floats, look: int) -> Floats:
    """Return how many more pairs there are at a look in which the new version is worse; equal ones are half a pair."""
    latest, others = new[:, look, None], live[:, : look + 1]
    pairs = (latest > others).sum(axis=1) + (latest == others).sum(axis=1) / 2
    latest, others = live[:, look, None], new[:, :look]
    return np.asarray(pairs + (others > latest).sum(axis=1) + (others == latest).sum(axis=1) / 2)


def _tied(new: Floats, live: Floats, look: int) -> Floats:
    """Return by how much the sum of t^3 - t over groups of t equal values grows at a look: a value that c others equal
    makes it grow by 3 c (c + 1)."""
    before = np.concatenate([new[:, :look], live[:, :look]], axis=1)
    first = (before == new[:, look, None]).sum(axis=1)
    second = (before == live[:, look, None]).sum(axis=1) + (new[:, look] == live[:, look])
    return np.asarray(3.0 * first * (first + 1) + 3.0 * second * (second + 1))


def alarm(counts: Counts, metric: Metric) -> Fired:
    """Tell when a fixed alarm on the new version alone would ring."""
    enough = counts.new >= ALARM_LEAST_REQUESTS
    bad = (enough & (counts.alarming > ALARM_SHARE[metric] * counts.new)).astype(int)
    wanted, out_of = ALARM_PERIODS
    recent = sum(np.pad(bad, ((0, 0), (ago, 0)))[:, : bad.shape[1]] for ago in range(out_of))
    return np.asarray(recent >= wanted)


def percent(bad: NDArray[np.int64], of: NDArray[np.int64]) -> Floats:
    """Return the shares; of nothing it is nothing."""
    return np.asarray(100.0 * bad / np.maximum(of, 1))


def first(fired: Fired) -> NDArray[np.int64]:
    """Return the look at which each run was rolled back, from 1; 0 is never."""
    return np.asarray(np.where(fired.any(axis=1), fired.argmax(axis=1) + 1, 0))
