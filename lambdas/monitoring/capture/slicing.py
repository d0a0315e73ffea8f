"""Slices of the rows: by level of a category, and by quarter of what a number was in the baseline."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lambdas.monitoring.capture.layout import Cell
from lambdas.monitoring.profile.references import CategoryReference, NumberReference, Reference

MISSING, UNSEEN = "(missing)", "(unseen)"
_QUARTERS = 4


@dataclass(frozen=True)
class Slicer:
    """Names the slice of a column that a row lies in, as ``column=level``.

    Parameters
    ----------
    place
        Where the column stands in a row.
    name_of
        Names the slice of a value.
    """

    place: int
    name_of: Callable[[Cell], str]

    @classmethod
    def of(cls, column: str, place: int, reference: Reference) -> "Slicer":
        """Return what names a column's slices."""
        if isinstance(reference, CategoryReference):
            return cls(place, _level_namer(column, reference))
        return cls(place, _range_namer(column, reference))


def quarter_edges(reference: NumberReference) -> tuple[float, ...]:
    """Return the edges among the baseline's own that come nearest above each quarter of its values, ties merged."""
    edges, counts = reference.bins.edges, reference.tally.counts
    total, below = sum(counts), 0
    found: dict[float, None] = {}
    quarter = 1
    for edge, count in zip(edges, counts, strict=False):
        below += count
        while quarter < _QUARTERS and below * _QUARTERS >= total * quarter:
            found[edge] = None
            quarter += 1
    return tuple(found)


def _level_namer(column: str, reference: CategoryReference) -> Callable[[Cell], str]:
    levels = reference.empty()

    def name_of(value: Cell) -> str:
        if not isinstance(value, str):
            return f"{column}={MISSING}"
        return f"{column}={levels.level(value) or UNSEEN}"

    return name_of


def _range_namer(column: str, reference: NumberReference) -> Callable[[Cell], str]:
    edges = quarter_edges(reference)
    names = _ranges(column, edges)

    def name_of(value: Cell) -> str:
        if not isinstance(value, float) or value != value:
            return f"{column}={MISSING}"
        return names[bisect_right(edges, value)]

    return name_of


def _ranges(column: str, edges: Sequence[float]) -> list[str]:
    if not edges:
        return [f"{column}=any"]
    between = [f"{low:g}..{high:g}" for low, high in pairwise(edges)]
    return [f"{column}={each}" for each in (f"<{edges[0]:g}", *between, f">={edges[-1]:g}")]
