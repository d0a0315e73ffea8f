"""Where one bin of a number ends and the next begins: the same definition wherever something is counted."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import inf, isfinite, nextafter

from lambdas.monitoring.profile.errors import ProfileError

SINGLE = 2.0**-23
"""Relative precision of a float32: a value that some client rounds to one is still the same value."""


@dataclass(frozen=True)
class Bins:
    """Bins of a number: bin ``i`` holds ``edges[i-1] <= x < edges[i]``, and the outer two are open.

    Parameters
    ----------
    edges
        Inner edges, finite and strictly increasing; there is one bin more than edges.

    Raises
    ------
    ProfileError
        If the edges are not.
    """

    edges: tuple[float, ...]
    centre: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not all(map(isfinite, self.edges)):
            raise ProfileError("edges", self.edges, "every edge must be finite")
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ProfileError("edges", self.edges, "edges must be strictly increasing")
        object.__setattr__(self, "centre", self.edges[len(self.edges) // 2] if self.edges else 0.0)

    def __len__(self) -> int:
        return len(self.edges) + 1

    def index(self, x: float) -> int:
        """Return the bin of a finite number."""
        return bisect_right(self.edges, x)

    @classmethod
    def of(cls, values: Sequence[float], most: int = 100) -> Bins:
        """Return at most `most` bins that hold about as many of the values each.

        Edge ``i`` is the order statistic ``sorted[floor(i * n / most)]`` for ``i = 1 .. most - 1`` (counted from
        0), so that without ties ``floor(i * n / most)`` values lie below it. Equal edges are merged, and one at
        the minimum is left out. A value that is two or more of these edges (a spike: rainfall of 0, a constant)
        gets a bin of its own, as wide as a float32's precision, so that a move off it shows; bins between, below
        or above such values may then be empty.

        Parameters
        ----------
        values
            In any order; those that are not finite are left out.
        most
            Greatest number of bins, at least 2.
        """
        ordered = sorted(float(value) for value in values if isfinite(value))
        picked = Counter(ordered[index * len(ordered) // most] for index in range(1, most)) if ordered else Counter()
        edges: set[float] = set()
        for value, times in picked.items():
            first, last = bisect_left(ordered, value), bisect_right(ordered, value)
            if times > 1 and last - first > 1:
                edges.update(_around(ordered, first, last))
            elif first > 0:
                edges.add(value)
        return cls(tuple(sorted(edges)))

    def grouped(self, counts: Sequence[int], most: int = 10) -> list[int]:
        """Say how to merge bins into about `most` groups of nearly equal mass.

        Few bins (at most `most` + 2) are left as they are, so that the empty bins around a constant or between
        the values of a flag stay, and show a new value. Otherwise boundary ``k`` is where the cumulated count
        comes closest to ``k / most`` of all, and no group is empty.

        Parameters
        ----------
        counts
            The reference's count of each bin.

        Returns
        -------
        list of int
            Boundaries, from 0 to ``len(counts)``: group ``j`` is ``counts[b[j]:b[j + 1]]``.

        Raises
        ------
        ProfileError
            If there is not one count for each bin.
        """
        if len(counts) != len(self):
            raise ProfileError("counts", counts, f"there must be {len(self)}, one for each bin")
        if len(counts) <= most + 2:
            return list(range(len(counts) + 1))
        below = list(accumulate(counts, initial=0))
        cuts = {_closest(below, group * below[-1] / most) for group in range(1, most)}
        inner = sorted(cut for cut in cuts if 0 < below[cut] < below[-1])
        return [0, *inner, len(counts)]


def merged(counts: Sequence[int], boundaries: Sequence[int]) -> list[int]:
    """Return the counts of the groups that `Bins.grouped` gave."""
    return [sum(counts[first:last]) for first, last in pairwise(boundaries)]


def _closest(below: Sequence[int], wanted: float) -> int:
    """Return the first position whose cumulated count is the closest to the one wanted."""
    after = bisect_left(below, wanted)
    before = max(after - 1, 0)
    nearer = below[before] if wanted - below[before] < below[after] - wanted else below[after]
    return bisect_left(below, nearer)


def _around(ordered: Sequence[float], first: int, last: int) -> tuple[float, ...]:
    """Return edges around the value at ``ordered[first:last]`` that leave its neighbours out."""
    value = ordered[first]
    low, high = value - abs(value) * SINGLE, max(value + abs(value) * SINGLE, nextafter(value, inf))
    if not isfinite(low) or (first > 0 and low <= ordered[first - 1]):
        low = value
    if last < len(ordered):
        high = min(high, ordered[last])
    return (low, high) if isfinite(high) else (low,)
