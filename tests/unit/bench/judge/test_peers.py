"""The peers do at every look what their tests do on what has been counted so far."""

import math

import numpy as np
import pytest
from scipy import stats

from bench.judge import peers
from bench.judge.traffic import Counts, Outage, Traffic, draw

RUNS = 20


def some(traffic: Traffic, runs: int = RUNS) -> Counts:
    (counts,) = draw(traffic, runs, np.random.default_rng(4)).values()
    return counts


@pytest.mark.parametrize(("live", "ratio"), [(0.01, 1.3), (0.4, 1.03)])
def test_chi_square_is_that_of_the_sums_and_one_sided(live: float, ratio: float) -> None:
    counts = some(Traffic(ratio=ratio, live=live, per_second=10))
    fired = peers.chi_square(counts)
    cells = (
        (counts.new_bad, counts.new - counts.new_bad),
        (counts.live_bad, counts.live - counts.live_bad),
    )
    seen = set()
    for run in range(RUNS):
        for look in range(3, 60, 2):
            table = np.array([[int(each[run, : look + 1].sum()) for each in row] for row in cells])
            new_is_worse = table[0, 0] / table[0, 1] > table[1, 0] / table[1, 1]
            found = stats.chi2_contingency(table, correction=False)
            wanted = new_is_worse and found.pvalue < 2 * peers.LEVEL
            assert fired[run, look] == (wanted and found.expected_freq[0, 0] >= peers.LEAST_EXPECTED)
            seen.add(bool(wanted))
    assert seen == {True, False}


def test_mann_whitney_is_that_of_the_minutes_with_ties() -> None:
    counts = some(Traffic(per_second=4, ratio=4), 3 * RUNS)
    fired = peers.mann_whitney(counts)
    new = peers.percent(counts.new_bad, counts.new)
    live = peers.percent(counts.live_bad, counts.live)
    seen = set()
    for run in range(3 * RUNS):
        for look in range(2, 60, 2):
            samples = new[run, : look + 1], live[run, : look + 1]
            found = stats.mannwhitneyu(*samples, alternative="greater", method="asymptotic").pvalue
            wanted = bool(found < peers.LEVEL) and not math.isnan(found)
            assert fired[run, look] == wanted
            seen.add(wanted)
    assert seen == {True, False}


def test_two_minutes_are_too_few() -> None:
    counts = some(Traffic(ratio=20))
    assert not peers.mann_whitney(counts)[:, :2].any()
    assert peers.mann_whitney(counts)[:, 2].all()


def test_an_alarm_rings_at_the_second_bad_period_of_three() -> None:
    shape = (1, 6)
    bad = np.array([[6, 0, 0, 6, 0, 6]])
    counts = Counts(np.full(shape, 100), np.full(shape, 1900), bad, np.zeros(shape, dtype=np.int64), bad)
    assert peers.alarm(counts, "errors").tolist() == [[False, False, False, False, False, True]]
    assert peers.first(peers.alarm(counts, "errors")).tolist() == [6]


def test_an_alarm_waits_for_requests() -> None:
    counts = some(Traffic(per_second=1, outage=Outage(0, 60, 1.0)))
    few = counts.new < peers.ALARM_LEAST_REQUESTS
    assert few.all()
    assert not peers.alarm(counts, "errors").any()
    assert peers.first(peers.alarm(counts, "errors")).tolist() == [0] * RUNS
