"""Columns as variables of mean 0 and variance 1, whatever they hold."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

Cell = float | str | None

# An indicator that is nearly always 0, or nearly always 1, tells little and has wild products.
LEAST_SHARE = 0.02

# Levels of a category that get a variable.
MOST_LEVELS = 8


@dataclass(frozen=True)
class Variable:
    """A name that people understand, and a value for each row."""

    name: str
    values: list[float]


def variables(names: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[Variable]:
    """Return the variables of rows, columns in order; a column that never varies has none."""
    quantiles = _quantiles(len(rows))
    columns = zip(names, zip(*rows, strict=True), strict=True)
    return [variable for name, column in columns for variable in _of_column(name, column, quantiles)]


def _of_column(name: str, column: Sequence[Cell], quantiles: Sequence[float]) -> Iterator[Variable]:
    if any(isinstance(cell, str) for cell in column):
        levels = Counter(cell for cell in column if cell is not None)
        for level, _ in levels.most_common(MOST_LEVELS):
            yield from _indicator(f"{name}={level}", [cell == level for cell in column])
    else:
        yield from _scores(name, column, quantiles)
    yield from _indicator(f"{name} missing", [cell is None for cell in column])


def _scores(name: str, column: Sequence[Cell], quantiles: Sequence[float]) -> Iterator[Variable]:
    """Yield normal scores of ranks; equal numbers share the middle of their ranks, missing ones are in the middle."""
    known = sorted((float(cell), place) for place, cell in enumerate(column) if cell is not None)
    if not known or known[0][0] == known[-1][0]:
        return
    scores, scale, first = [0.0] * len(column), len(column) / len(known), 0
    while first < len(known):
        last = first + 1
        while last < len(known) and known[last][0] == known[first][0]:
            last += 1
        score = quantiles[int((first + last) * scale)]
        for _, place in known[first:last]:
            scores[place] = score
        first = last
    yield Variable(name, _standardised(scores))


def _indicator(name: str, held: Sequence[bool]) -> Iterator[Variable]:
    share = sum(held) / len(held)
    if LEAST_SHARE <= share <= 1 - LEAST_SHARE:
        yield Variable(name, _standardised([float(each) for each in held]))


def _standardised(values: Sequence[float]) -> list[float]:
    mean = sum(values) / len(values)
    away = [value - mean for value in values]
    deviation = sqrt(sum(value * value for value in away) / len(values))
    return [value / deviation for value in away] if deviation else away


def _quantiles(rows: int) -> list[float]:
    """Return the normal quantiles of (i / 2) / n, i = 0..2n, the ends kept finite."""
    standard = NormalDist()
    return [standard.inv_cdf(min(max(i, 0.5), 2 * rows - 0.5) / (2 * rows)) for i in range(2 * rows + 1)]
