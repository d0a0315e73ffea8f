"""Gathering of arrays, to be counted many values at a time: a small batch costs less than NumPy's calls for it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

S = TypeVar("S")

ROWS_OF_ONE = 32
"""Of a larger batch only every n-th row is kept, so that at most this many are: more would take above 5 us a batch."""
ROWS_OF_MANY = 8
"""The same for rows of several numbers, and fewer still of wide ones."""
MAX_WIDTH = 1024
"""The most numbers a row."""
_NUMBERS = 2048
_WIDE_NUMBERS = 8192
_WIDE_NUMBERS_PER_BATCH = 512


class _Stretch(Generic[S]):
    """What was counted before, and rows that are not counted yet."""

    __slots__ = ("before", "filled", "rows")

    def __init__(self, before: S, rows: NDArray[Any]) -> None:
        self.before = before
        self.rows = rows
        self.filled = 0


class Gathering(Generic[S]):
    """Keeps copies of rows until there are enough to be worth counting; written by one thread, read by any.

    There is no lock. The writer fills rows before it raises `filled`, and never touches a stretch after it has begun
    the next one; so a reader, who takes one reference, sees counts and rows that belong together, and never twice.

    Parameters
    ----------
    zero
        The sum of nothing.
    count
        Returns an earlier sum with rows added, leaving the earlier one as it is.
    width
        Numbers a row; 0 for rows that are single values.
    dtype
        Of the rows.
    """

    def __init__(self, zero: S, count: Callable[[S, NDArray[Any]], S], width: int, dtype: Any) -> None:
        self._count = count
        self._dtype = dtype
        self._sample = min(ROWS_OF_MANY, max(1, _WIDE_NUMBERS_PER_BATCH // width)) if width else ROWS_OF_ONE
        self._shape = (max(ROWS_OF_MANY, _WIDE_NUMBERS // width), width) if width else (_NUMBERS,)
        self._now = _Stretch(zero, np.empty(self._shape, dtype))

    def add(self, rows: NDArray[Any]) -> None:
        """Add the rows of one batch, copying them: whoever runs the model may use the memory again."""
        if len(rows) > self._sample:
            rows = rows[:: -(-len(rows) // self._sample)]
        now = self._now
        start = now.filled
        end = start + len(rows)
        if end > len(now.rows):
            now = _Stretch(self._summed(now), np.empty(self._shape, self._dtype))
            start, end = 0, len(rows)
            self._now = now
        now.rows[start:end] = rows
        now.filled = end

    def read(self) -> S:
        """Return the sum of all rows so far."""
        return self._summed(self._now)

    def _summed(self, stretch: _Stretch[S]) -> S:
        return self._count(stretch.before, stretch.rows[: stretch.filled])
