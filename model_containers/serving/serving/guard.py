"""Refuses input that the model's signature does not allow, before the model sees it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .problems import malformed, refused
from .signature import Column, Signature

SHOWN = 10
LARGEST = float(np.finfo(np.float32).max)


class Guard:
    """Checks rows of input against a signature, all rows at once."""

    def __init__(self, signature: Signature) -> None:
        columns = signature.columns
        self._columns = columns
        self._minimum = np.array([-np.inf if each.minimum is None else each.minimum for each in columns])
        self._maximum = np.array([np.inf if each.maximum is None else each.maximum for each in columns])
        self._required = np.array([not each.allow_missing for each in columns])
        self._whole = np.array([each.dtype == "int64" for each in columns])

    def admit(self, rows: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the rows as the model takes them.

        Raises
        ------
        ProblemError
            Status 400, naming row (from 1) and column of the first offending cells.
        """
        if rows.shape[0] == 0:
            raise malformed("the body holds no row; send at least one")
        bad = self._offending(rows)
        if bad.any():
            self._refuse(rows, bad)
        return rows.astype(np.float32)

    def _offending(self, rows: NDArray[np.float64]) -> NDArray[np.bool_]:
        missing = np.isnan(rows)
        bad: NDArray[np.bool_] = (missing & self._required) | (rows < self._minimum) | (rows > self._maximum)
        bad |= np.abs(rows) > LARGEST
        if self._whole.any():
            bad |= self._whole & ~missing & (rows != np.floor(rows))
        return bad

    def _refuse(self, rows: NDArray[np.float64], bad: NDArray[np.bool_]) -> None:
        cells = np.argwhere(bad)
        errors = [self._error(int(row), int(column), float(rows[row, column])) for row, column in cells[:SHOWN]]
        raise refused(errors, len(cells))

    def _error(self, row: int, position: int, value: float) -> dict[str, Any]:
        column = self._columns[position]
        return {"row": row + 1, "column": column.name, "reason": _reason(column, value)}


def _reason(column: Column, value: float) -> str:
    if np.isnan(value):
        return "the value is missing; send a number"
    if column.minimum is not None and value < column.minimum:
        return f"{value:g} is below the least value allowed, {column.minimum:g}; check its unit"
    if column.maximum is not None and value > column.maximum:
        return f"{value:g} is above the greatest value allowed, {column.maximum:g}; check its unit"
    if abs(value) > LARGEST:
        return "the value is beyond what a 32-bit float holds; check its unit"
    return f"{value:g} is not a whole number"
