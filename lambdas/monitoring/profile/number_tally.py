"""Counts of a column of numbers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import partial
from math import inf, isfinite
from operator import add, mul, sub

from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Fields


class NumberTally:
    """Mutable: how many values fell into each bin, how many are missing or not finite, and moments.

    Moments are sums of the deviations from the bins' centre and of their squares (the shifted-data algorithm:
    Chan, Golub and LeVeque, *Algorithms for computing the sample variance*, 1983), which merge by addition and
    lose no digits while the data are near where the baseline was.

    Parameters
    ----------
    bins
        The baseline's bins.
    """

    __slots__ = (
        "_centre",
        "_edges",
        "_maximum",
        "_minimum",
        "_squares",
        "_sum",
        "bins",
        "counts",
        "missing",
        "not_finite",
    )

    def __init__(self, bins: Bins) -> None:
        self.bins = bins
        self.counts = [0] * len(bins)
        self.missing = 0
        self.not_finite = 0
        self._edges = bins.edges
        self._centre = bins.centre
        self._sum = 0.0
        self._squares = 0.0
        self._minimum = inf
        self._maximum = -inf

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberTally) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"NumberTally(rows={self.rows}, missing={self.missing}, mean={self.mean})"

    @property
    def finite(self) -> int:
        """Values that fell into a bin."""
        return sum(self.counts)

    @property
    def rows(self) -> int:
        """All rows, whatever stood there."""
        return self.finite + self.missing + self.not_finite

    @property
    def mean(self) -> float | None:
        """Mean of the finite values; None without any, and where they are too large to add up."""
        finite = self.finite
        return _usable(self.bins.centre + self._sum / finite) if finite else None

    @property
    def m2(self) -> float | None:
        """Sum of the squared deviations from the mean; None where there is no mean, or it is too large."""
        finite = self.finite
        return _usable(max(self._squares - self._sum * self._sum / finite, 0.0)) if finite else None

    @property
    def minimum(self) -> float | None:
        """Least finite value."""
        return _usable(self._minimum)

    @property
    def maximum(self) -> float | None:
        """Greatest finite value."""
        return _usable(self._maximum)

    def add(self, value: float | None) -> None:
        """Count a value; None is missing. Numbers come as float (an int beyond a float's range would raise)."""
        if value is None:
            self.missing += 1
            return
        deviation = value - self._centre
        if deviation - deviation != 0.0 and not isfinite(value):  # NaN of what is not finite: quicker than a call
            self.not_finite += 1
            return
        self.counts[bisect_right(self._edges, value)] += 1
        self._sum += deviation
        self._squares += deviation * deviation
        if value < self._minimum:
            self._minimum = value
        if value > self._maximum:
            self._maximum = value

    def add_many(self, values: Sequence[float | None]) -> None:
        """Count values: nearly twice as quick as one at a time when there are a thousand."""
        if len(values) < 2 * len(self._edges):
            for value in values:
                self.add(value)
            return
        present = [value for value in values if value is not None]
        finite = present if isfinite(sum(present)) else [value for value in present if isfinite(value)]
        self.missing += len(values) - len(present)
        self.not_finite += len(present) - len(finite)
        if finite:
            self._add_finite(finite)

    def add_counts(
        self,
        counts: Sequence[int],
        *,
        missing: int = 0,
        not_finite: int = 0,
        mean: float | None = None,
        m2: float | None = None,
        minimum: float | None = None,
        maximum: float | None = None,
    ) -> None:
        """Add what another engine counted with the same bins.

        Parameters
        ----------
        counts
            Finite values in each bin.
        missing, not_finite
            Rows without a value, and with NaN or an infinity.
        mean, m2, minimum, maximum
            Of the finite values; `m2` is the sum of squared deviations from `mean`. None only without values,
            or where a moment is too large for a float.

        Raises
        ------
        ProfileError
            If there is not one count for each bin.
        """
        if len(counts) != len(self.counts):
            raise ProfileError("counts", counts, f"there must be {len(self.counts)}, one for each bin")
        self.missing += missing
        self.not_finite += not_finite
        added = sum(counts)
        if not added:
            return
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, counts, strict=True)]
        shift = (inf if mean is None else mean) - self.bins.centre
        self._sum += added * shift
        self._squares += (inf if m2 is None else m2) + added * shift * shift
        self._minimum = min(self._minimum, inf if minimum is None else minimum)
        self._maximum = max(self._maximum, -inf if maximum is None else maximum)

    def merge(self, other: NumberTally) -> NumberTally:
        """Add another's counts to these, and return these.

        Raises
        ------
        ProfileError
            If the bins differ: such counts cannot be added.
        """
        if self.bins != other.bins:
            raise ProfileError(
                "edges", other.bins.edges, "counts of different bins cannot be merged; count with one baseline"
            )
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.missing += other.missing
        self.not_finite += other.not_finite
        self._sum += other._sum
        self._squares += other._squares
        self._minimum = min(self._minimum, other._minimum)
        self._maximum = max(self._maximum, other._maximum)
        return self

    def to_json(self) -> dict[str, object]:
        """Return the counts for JSON; a moment too large for a float is null."""
        return {
            "kind": "number",
            "edges": list(self.bins.edges),
            "counts": self.counts,
            "missing": self.missing,
            "not_finite": self.not_finite,
            "sum_from_centre": _usable(self._sum),
            "squares_from_centre": _usable(self._squares),
            "minimum": self.minimum,
            "maximum": self.maximum,
        }

    @classmethod
    def from_json(cls, value: object, where: str = "tally") -> NumberTally:
        """Read counts; raises `ProfileError` where they are malformed."""
        fields = Fields(value, where)
        edges = fields.numbers("edges")
        try:
            tally = cls(Bins(edges))
        except ProfileError as error:
            raise ProfileError(fields.path("edges"), edges, error.way_out) from error
        counts = fields.integers("counts")
        if len(counts) != len(tally.counts):
            raise ProfileError(fields.path("counts"), counts, f"there must be {len(tally.counts)}, one more than edges")
        tally.counts = counts
        tally.missing = fields.integer("missing")
        tally.not_finite = fields.integer("not_finite")
        tally._read_moments(fields)
        return tally

    def _read_moments(self, fields: Fields) -> None:
        total, squares = fields.optional_number("sum_from_centre"), fields.optional_number("squares_from_centre")
        minimum, maximum = fields.optional_number("minimum"), fields.optional_number("maximum")
        self._sum = inf if total is None else total
        self._squares = inf if squares is None else squares
        self._minimum = inf if minimum is None else minimum
        self._maximum = -inf if maximum is None else maximum

    def _add_finite(self, values: list[float]) -> None:
        values.sort()  # then the edges are looked up among the values: there are fewer
        below = [0, *map(partial(bisect_left, values), self._edges), len(values)]
        self.counts = list(map(add, self.counts, map(sub, below[1:], below)))
        centre = self._centre
        deviations = [value - centre for value in values]
        self._sum += sum(deviations)
        self._squares += sum(map(mul, deviations, deviations))
        self._minimum = min(self._minimum, values[0])
        self._maximum = max(self._maximum, values[-1])


def _usable(number: float) -> float | None:
    return number if isfinite(number) else None
