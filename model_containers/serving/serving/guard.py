"""Refuses input that the model's signature does not allow, before the model sees it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .problems import ProblemError, refused
from .signature import Column, Signature

SHOWN = 10
SHOWN_CATEGORIES = 5
LARGEST = float(np.finfo(np.float32).max)

Rows = NDArray[np.float32] | NDArray[np.float64]
Mask = NDArray[np.bool_]


class Guard:
    """Checks rows of input against a signature, all rows of a batch at once.

    The model computes in 32-bit floats, so each bound is widened to one: 0.1 is within a maximum of 0.1 however it was
    sent, and a row's verdict is the same whatever the rest of its batch was sent as.
    """

    def __init__(self, signature: Signature) -> None:
        columns = signature.columns
        self._columns = columns
        self._is_tensor = signature.is_tensor
        self._name = signature.column_name
        self._input_shape = signature.input_shape
        self._bounds = np.array([_range(each) for each in columns]).T
        self._float32_bounds = self._bounds.astype(np.float32)
        self._optional = np.array([each.allow_missing for each in columns])
        self._fractional = np.array([each.dtype != "int64" and not each.labels for each in columns])
        self._listed = [position for position, each in enumerate(columns) if each.categories]
        self._categories = _table([columns[position].categories for position in self._listed])
        self._any_whole = not self._fractional.all()

    def prepare(self, rows: Rows) -> NDArray[np.float32]:
        """Return the rows as the model takes them: 32-bit floats of shape (rows, *row shape), with one copy at most."""
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as that
            return rows.astype(np.float32, copy=False).reshape(-1, *self._input_shape)

    def offending(self, rows: Rows) -> Mask | None:
        """Return which cells break the signature, as (rows, width), or None: found in four calls where none does."""
        cells = rows if rows.ndim == 2 else rows.reshape(len(rows), -1)
        least, most = self._float32_bounds if cells.dtype == np.float32 else self._bounds
        # A missing value fails every comparison, and so does one that a 32-bit float does not hold.
        good: Mask = cells >= least
        good &= cells <= most
        if self._any_whole:
            good &= (np.floor(cells) >= cells) | self._fractional
        if self._listed:
            good[:, self._listed] &= (cells[:, self._listed, np.newaxis] == self._categories).any(axis=2)
        if np.count_nonzero(good) == good.size:
            return None
        good |= np.isnan(cells) & self._optional
        return None if good.all() else ~good

    def refusal(self, rows: Rows, bad: Mask) -> ProblemError:
        """Return the problem of one request's rows, naming row (from 1) and column of the first offending cells."""
        cells, values = np.argwhere(bad), rows.reshape(len(rows), -1)
        errors = [self._error(int(row), int(position), float(values[row, position])) for row, position in cells[:SHOWN]]
        return refused(errors, len(cells))

    def refused_cells(self, bad: Mask) -> dict[str, int]:
        """Return how many cells were refused of each column that has some; a tensor counts as one column."""
        counts = bad.sum(axis=0) if not self._is_tensor else [np.count_nonzero(bad)]
        return {column.name: int(count) for column, count in zip(self._columns, counts, strict=True) if count}

    def _error(self, row: int, position: int, value: float) -> dict[str, Any]:
        column = self._columns[0 if self._is_tensor else position]
        return {"row": row + 1, "column": self._name(position), "reason": _reason(column, value)}


def _range(column: Column) -> tuple[float, float]:
    """Return the least and the greatest value allowed, each widened to a 32-bit float."""
    if column.labels:
        return 0.0, len(column.labels) - 1.0
    least = -LARGEST if column.minimum is None else max(column.minimum, -LARGEST)
    most = LARGEST if column.maximum is None else min(column.maximum, LARGEST)
    return min(least, _rounded(least)), max(most, _rounded(most))


def _rounded(value: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def _table(categories: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return each column's categories, as of 64 and of 32 bits; NaN, equal to nothing, fills the shorter rows."""
    both = [[*each, *map(_rounded, each)] for each in categories]
    table = np.full((len(both), max(map(len, both), default=0)), np.nan)
    for row, values in zip(table, both, strict=True):
        row[: len(values)] = values
    return table


def _reason(column: Column, value: float) -> str:
    if np.isnan(value):
        return f"the value is missing; send {'a string' if column.labels else 'a number'}"
    if column.labels:
        return f"{value:g} is the index of no category; there are {len(column.labels)}, counted from 0"
    if column.minimum is not None and value < column.minimum:
        return f"{value:g} is below the least value allowed, {column.minimum:g}; check its unit"
    if column.maximum is not None and value > column.maximum:
        return f"{value:g} is above the greatest value allowed, {column.maximum:g}; check its unit"
    if abs(value) > LARGEST:
        return "the value is beyond what a 32-bit float holds; check its unit"
    if column.categories and value not in column.categories:
        return f"{value:g} is not one of the categories: {shown_categories(column)}"
    return f"{value:g} is not a whole number"


def shown_categories(column: Column) -> str:
    """Return a column's first categories, for an error."""
    known = [f"{each:g}" for each in column.categories] or [f"'{each[:40]}'" for each in column.labels]
    more = f", ... ({len(known)} in all)" if len(known) > SHOWN_CATEGORIES else ""
    return ", ".join(known[:SHOWN_CATEGORIES]) + more
