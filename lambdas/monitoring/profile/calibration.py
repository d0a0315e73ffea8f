"""From a model's probabilities to observed frequencies, by isotonic regression."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Fields

MOST_BLOCKS = 200


@dataclass(frozen=True)
class Calibration:
    """A map of probabilities that never falls: constant on each block, linear between blocks, flat outside.

    As scikit-learn's ``IsotonicRegression(out_of_bounds="clip")`` interpolates; ``numpy.interp(p, xs, ys)`` is the
    same map for an array.

    Parameters
    ----------
    xs
        Probabilities, strictly increasing: least and greatest of each block.
    ys
        The observed frequency at each.

    Raises
    ------
    ProfileError
        If there is no point, `xs` do not increase, or `ys` fall or leave 0..1.
    """

    xs: tuple[float, ...]
    ys: tuple[float, ...]

    def __post_init__(self) -> None:
        if not self.xs or any(low >= high for low, high in pairwise(self.xs)):
            raise ProfileError("calibration.xs", self.xs, "there must be at least one, strictly increasing")
        rising = all(low <= high for low, high in pairwise(self.ys))
        if len(self.ys) != len(self.xs) or not rising or not 0 <= self.ys[0] <= self.ys[-1] <= 1:
            raise ProfileError("calibration.ys", self.ys, "there must be one for each x, within 0..1, never falling")

    def __call__(self, probability: float) -> float:
        """Return the calibrated probability."""
        after = bisect_right(self.xs, probability)
        if after == 0:
            return self.ys[0]
        if after == len(self.xs):
            return self.ys[-1]
        low, high = self.xs[after - 1], self.xs[after]
        start, end = self.ys[after - 1], self.ys[after]
        return start + (end - start) * ((probability - low) / (high - low))

    @classmethod
    def of(cls, probabilities: Sequence[float], outcomes: Sequence[bool]) -> Calibration:
        """Fit by pool adjacent violators (Ayer et al., 1955), rows of equal probability pooled first.

        More than 200 blocks (which takes millions of rows) are halved, neighbours together, until they are fewer.

        Raises
        ------
        ProfileError
            If there is no row.
        """
        blocks = _pooled(_tied(sorted(zip(probabilities, map(bool, outcomes), strict=True))))
        while len(blocks) > MOST_BLOCKS:
            blocks = [_joined(blocks[i : i + 2]) for i in range(0, len(blocks), 2)]
        points: dict[float, float] = {}
        for block in blocks:
            points[block.first] = points[block.last] = block.mean
        return cls(tuple(points), tuple(points.values()))

    def to_json(self) -> dict[str, object]:
        """Return the points for JSON."""
        return {"xs": list(self.xs), "ys": list(self.ys)}

    @classmethod
    def from_json(cls, value: object, where: str = "calibration") -> Calibration:
        """Read the points; raises `ProfileError` where they are malformed."""
        fields = Fields(value, where)
        return cls(fields.numbers("xs"), fields.numbers("ys"))


@dataclass(frozen=True)
class _Block:
    """Rows whose outcomes are averaged: from which probability to which, how many, how many positive."""

    first: float
    last: float
    rows: int
    positive: int

    @property
    def mean(self) -> float:
        return self.positive / self.rows


def _tied(rows: Iterable[tuple[float, bool]]) -> Iterable[_Block]:
    current: _Block | None = None
    for probability, outcome in rows:
        block = _Block(probability, probability, 1, int(outcome))
        if current and current.first == probability:
            current = _joined([current, block])
            continue
        if current:
            yield current
        current = block
    if current:
        yield current


def _pooled(blocks: Iterable[_Block]) -> list[_Block]:
    pooled: list[_Block] = []
    for block in blocks:
        pooled.append(block)
        # Whole numbers compare exactly: a/b >= c/d without division.
        while len(pooled) > 1 and pooled[-2].positive * pooled[-1].rows >= pooled[-1].positive * pooled[-2].rows:
            pooled[-2:] = [_joined(pooled[-2:])]
    return pooled


def _joined(blocks: Sequence[_Block]) -> _Block:
    rows, positive = sum(block.rows for block in blocks), sum(block.positive for block in blocks)
    return _Block(blocks[0].first, blocks[-1].last, rows, positive)
