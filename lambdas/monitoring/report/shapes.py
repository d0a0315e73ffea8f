"""Counts in the baseline's bins, as shares that can be drawn on an even scale."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

from lambdas.monitoring.assessment.features import levels
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally

COLUMNS = 40
MOST_LEVELS = 8
OTHERS = "all others"

# Share at either end that may be drawn in the outermost column, so that one outlier does not squeeze all the others.
TAIL = 0.005

# Width of an open bin, as a part of what lies between them, if no more than this share of the rows is in it.
OUTER = 0.25
FEW = 0.05


def even(reference: NumberTally, current: NumberTally) -> tuple[float, float, list[float], list[float]]:
    """Return a scale's ends, and the shares of both tallies in columns of equal width between them.

    Bins hold equal shares of the reference, not equal widths, so what a bin holds is spread evenly over its width.
    """
    sides = [(_bounds(tally), tally.counts) for tally in (reference, current)]
    low = min(_quantile(bounds, counts, TAIL) for bounds, counts in sides)
    high = max(_quantile(bounds, counts, 1 - TAIL) for bounds, counts in sides)
    if not low < high:
        low, high = low - 0.5, high + 0.5
    old, new = (_columns(bounds, counts, low, high) for bounds, counts in sides)
    return low, high, old, new


def level_shares(reference: CategoryTally, current: CategoryTally) -> list[tuple[str, float, float]]:
    """Return the levels that moved most or are most frequent, with both shares, the most frequent of training first."""
    old, new = levels(reference), levels(current)
    m, n = sum(old.values()) or 1, sum(new.values()) or 1
    shares = [(level, old.get(level, 0) / m, new.get(level, 0) / n) for level in {**old, **new}]
    shown = sorted(shares, key=lambda one: -max(one[1], one[2], 3 * abs(one[1] - one[2])))[:MOST_LEVELS]
    shown.sort(key=lambda one: (-one[1], -one[2], one[0]))
    if len(shares) > len(shown):
        shown.append((OTHERS, 1 - sum(one[1] for one in shown), 1 - sum(one[2] for one in shown)))
    return [(level, max(before, 0.0), max(now, 0.0)) for level, before, now in shown]


def _bounds(tally: NumberTally) -> list[float]:
    """Return the ends of the bins, the open ones closed by the least and the greatest value.

    An open bin with few rows in it is drawn no wider than a part of the scale, so that one outlier does not squeeze
    everything else into a line.
    """
    edges = list(tally.bins.edges)
    low, high = tally.minimum, tally.maximum
    if not edges:
        return [low if low is not None else 0.0, high if high is not None else 0.0]
    room, few = OUTER * (edges[-1] - edges[0]), FEW * tally.finite
    low = edges[0] if low is None else min(low, edges[0])
    high = edges[-1] if high is None else max(high, edges[-1])
    if tally.counts[0] <= few:
        low = max(low, edges[0] - room)
    if tally.counts[-1] <= few:
        high = min(high, edges[-1] + room)
    return [low, *edges, high]


def _quantile(bounds: Sequence[float], counts: Sequence[int], share: float) -> float:
    below = list(accumulate(counts, initial=0))
    wanted = share * below[-1]
    # The bin in which it lies; among empty ones, the nearest that is not.
    place = min(max(bisect_right(below, wanted) - 1, 0), len(counts) - 1)
    while place > 0 and not counts[place]:
        place -= 1
    inside = (wanted - below[place]) / counts[place] if counts[place] else 0.0
    return bounds[place] + min(max(inside, 0.0), 1.0) * (bounds[place + 1] - bounds[place])


def _columns(bounds: Sequence[float], counts: Sequence[int], low: float, high: float) -> list[float]:
    whole, width = sum(counts) or 1, (high - low) / COLUMNS
    found = [0.0] * COLUMNS
    for (start, end), count in zip(pairwise(bounds), counts, strict=True):
        if count:
            first, last = (min(max(int((x - low) / width), 0), COLUMNS - 1) for x in (start, end))
            for column in range(first, last + 1):
                found[column] += count / whole * _overlap(start, end, low + column * width, width, column)
    return found


def _overlap(start: float, end: float, left: float, width: float, column: int) -> float:
    """Return which part of a bin lies in a column; the outer columns take what lies beyond them."""
    right = left + width if column < COLUMNS - 1 else max(end, left + width)
    left = left if column > 0 else min(start, left)
    if end <= start:
        return 1.0 if left <= start < right or (column == COLUMNS - 1 and start <= right) else 0.0
    return max(0.0, min(end, right) - max(start, left)) / (end - start)
