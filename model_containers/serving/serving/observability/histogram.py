"""Histograms that one thread writes and any other reads, without a lock.

Why that is right under the interpreter lock: `cells[i] += 1` is several bytecodes, between which another thread may
run, so two writers could lose a count; with one writer nothing can. A reader takes `tuple(cells)`, one call into C
during which no bytecode of another thread runs, so it sees each cell either before or after. At worst it sees an
observation's bucket without its part of the sum: the next reading has both. `count` is always the buckets' own sum.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Up to so many values a loop is faster than NumPy's fixed costs.
_FEW = 12


@dataclass(frozen=True, slots=True)
class Tally:
    """A histogram as it was at one moment.

    Parameters
    ----------
    edges
        Upper edges of the buckets, ascending; a value that equals an edge lies below it.
    counts
        Values in each bucket; one more than `edges`, for what lies above the last.
    total
        The sum of all values.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.counts)

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        counts = tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        return Tally(self.edges, counts, self.total + other.total)

    def __sub__(self, earlier: "Tally") -> "Tally":
        """Return what has come since an earlier reading of the same histogram."""
        counts = tuple(mine - theirs for mine, theirs in zip(self.counts, earlier.counts, strict=True))
        return Tally(self.edges, counts, self.total - earlier.total)

    def up_to(self, edge: float) -> int:
        """Return how many values are at most `edge`, which must be one of the edges."""
        return sum(self.counts[: self.edges.index(edge) + 1])

    def at_rank(self, rank: float, spread: bool = True) -> float:
        """Return the value at a rank from 0 to `count`.

        The values of a bucket are taken to be spread evenly in it, or else to equal its upper edge. What lies above the
        last edge counts as that edge, as in Prometheus' ``histogram_quantile``.
        """
        below = 0
        for index, count in enumerate(self.counts[:-1]):
            if count and rank <= below + count:
                if not spread:
                    return self.edges[index]
                low = self.edges[index - 1] if index else min(0.0, self.edges[0])
                return low + (self.edges[index] - low) * (rank - below) / count
            below += count
        return self.edges[-1]

    def quantile(self, share: float) -> float:
        """Return the value below which `share` (0 to 1) of the values lie; there must be some."""
        return self.at_rank(share * self.count)

    def representatives(self, limit: int, spread: bool = True) -> list[float]:
        """Return up to `limit` values like those counted: one for each, or those at even ranks."""
        number = min(limit, self.count)
        step = self.count / number if number else 0.0
        return [self.at_rank((index + 0.5) * step, spread) for index in range(number)]


class Histogram:
    """Counts values by bucket; written by one thread.

    Parameters
    ----------
    edges
        Upper edges of the buckets, ascending.
    """

    __slots__ = ("_array", "_bulk", "_cells", "edges")

    def __init__(self, edges: Iterable[float]) -> None:
        self.edges = tuple(map(float, edges))
        self._cells: list[Any] = new_cells(self.edges)
        self._array = np.array(self.edges)
        # Replaced as a whole, never written to: a reader has the counts and the sum of the same moment.
        self._bulk: tuple[NDArray[np.int64], float] = (np.zeros(len(self.edges) + 1, np.int64), 0.0)

    def observe(self, value: float) -> None:
        """Count one value."""
        cells = self._cells
        cells[bisect_left(self.edges, value)] += 1
        cells[-1] += value

    def observe_all(self, values: Sequence[float] | NDArray[Any]) -> None:
        """Count many values; all of them must be numbers."""
        if len(values) > _FEW:
            self._observe_array(np.asarray(values, np.float64))
        else:
            for value in values:
                self.observe(float(value))

    def _observe_array(self, values: NDArray[np.float64]) -> None:
        counts, total = self._bulk
        found = np.bincount(self._array.searchsorted(values), minlength=len(counts))
        self._bulk = (counts + found, total + float(values.sum()))

    def read(self) -> Tally:
        """Return what was counted so far; called by any thread."""
        (bulk, total), mine = self._bulk, tally(self.edges, self._cells)
        return mine + Tally(self.edges, tuple(bulk.tolist()), total)


def new_cells(edges: Sequence[float]) -> list[Any]:
    """Return the mutable form of a histogram: a count for each bucket, one for what lies above, and last the sum."""
    return [0] * (len(edges) + 1) + [0.0]


def tally(edges: tuple[float, ...], cells: list[Any]) -> Tally:
    """Return what the mutable form holds now."""
    *counts, total = tuple(cells)
    return Tally(edges, tuple(counts), total)
