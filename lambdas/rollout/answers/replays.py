"""Captured requests that were put to the new version are no live traffic, and yet its metrics count them.

They are clean more often than not, for the live version has answered each of them, and would hide that the new one
fails at what it is sent. So it is kept how many were sent in each period of the metrics and how many failed, and they
are taken out of the counts of errors. How long they took is not told apart: latency counts include them, and so there
are never many of them beside the new version's own traffic.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from lambdas.rollout.judge.counts import Paired, Replays, Series, Stratum, Tally, added
from lambdas.rollout.judge.incomparable import NONE
from lambdas.rollout.replacing import replace

LEAST = 5
"""Requests of a file that may be put to the new version however little traffic it has."""

_ALL_PERCENT = 100


def most(records: int, weight: int) -> int:
    """Return how many of a file's requests may be put to a version that takes `weight` percent of the traffic.

    As many as came to it by its weight while the file was captured of the live version, and always a few.
    """
    if weight >= _ALL_PERCENT:
        return max(records, LEAST)
    return max(records * weight // (_ALL_PERCENT - weight), LEAST)


def noted(replays: Sequence[Replays], at: float, period_seconds: int, tally: Tally) -> tuple[Replays, ...]:
    """Return replays with some more, which were answered at a time; one entry for each period."""
    began = at // period_seconds * period_seconds
    found = {each.at: each.tally for each in replays}
    found[began] = found.get(began, Tally(0, 0)) + tally
    return tuple(Replays(*entry) for entry in sorted(found.items()))


def told_apart(series: Series, pairs: Sequence[Paired]) -> Series:
    """Return what was counted of live traffic alone, and beside it what both versions answered to the same inputs."""
    replays = [each for pair in pairs for each in pair.replays]
    return replace(
        series,
        errors=without(series.errors, series.period_seconds, replays),
        answers=tuple(pair for pair in pairs if pair.compared),
        incomparable=sum((pair.incomparable for pair in pairs), NONE),
    )


def without(strata: Sequence[Stratum], period_seconds: int, replays: Iterable[Replays]) -> tuple[Stratum, ...]:
    """Return periods without the requests that were put to the new version in them.

    Parameters
    ----------
    strata
        The earliest first; what is long ago may be counted in longer periods.
    period_seconds
        Length of the last one.
    replays
        What was sent, in periods as long as these or shorter.
    """
    times = [stratum.at for stratum in strata]
    sent: dict[int, list[Tally]] = {}
    for each in replays:
        place = bisect_right(times, each.at) - 1
        if place >= 0 and each.at < times[place] + _length(times, place, period_seconds):
            sent.setdefault(place, []).append(each.tally)
    left = (_less(stratum, added(sent.get(place, ()))) for place, stratum in enumerate(strata))
    return tuple(stratum for stratum in left if stratum.new.total or stratum.live.total)


def _length(times: Sequence[float], place: int, period_seconds: int) -> float:
    """Return the length of a period: as far as its nearest neighbour, for a farther one only shows a gap."""
    if place == len(times) - 1:
        return period_seconds
    after = times[place + 1] - times[place]
    return min(after, times[place] - times[place - 1]) if place else after


def _less(stratum: Stratum, sent: Tally) -> Stratum:
    """Return a period with fewer requests of the new version; none is below zero, though a moment may be misjudged."""
    events, total = stratum.new.events - sent.events, stratum.new.total - sent.total
    return replace(stratum, new=Tally(max(events, 0), max(total, 0))) if sent.total else stratum
