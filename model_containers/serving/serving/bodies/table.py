"""What every reader knows of the model's input: columns, row limit, and how values become an array."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from struct import Struct, pack
from struct import error as StructError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..guard import shown_categories
from ..problems import ProblemError, malformed, refused, too_many_rows
from ..signature import MISSING, Column, Signature

Row = Sequence[Any]
FLOAT64 = np.dtype(np.float64)


class Table:
    """The model's input as a table of rows by columns; a tensor is one of rows by values, without names."""

    def __init__(self, signature: Signature, max_rows: int) -> None:
        self.signature = signature
        self.max_rows = max_rows
        self.names = [] if signature.is_tensor else signature.names
        self.width = signature.width
        self.labels = tuple(map(_indices, signature.columns)) if any(each.labels for each in signature.columns) else ()
        self._pack = Struct(f"{self.width}d").pack

    def array(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return rows of floats, None and labels, each of the right width, as an array.

        Raises
        ------
        KeyError, TypeError, ValueError
            A row holds something else.
        """
        if self.labels:
            rows = [self._indexed(row) for row in rows]
        try:
            # Three times as fast as NumPy, which asks each value for its type.
            packed = self._pack(*rows[0]) if len(rows) == 1 else b"".join(starmap(self._pack, rows))
        except StructError:  # None, which NumPy reads as NaN
            return np.array(rows, FLOAT64)
        return np.ndarray((len(rows), self.width), FLOAT64, packed)

    def check_count(self, rows: int) -> None:
        """Refuse no row at all, and more than the limit."""
        if rows == 0:
            raise malformed("the body holds no row; send at least one")
        if rows > self.max_rows:
            raise too_many_rows(self.max_rows)

    def column(self, position: int) -> Column:
        """Return the column that a row's value at a position belongs to."""
        return self.signature.columns[0 if self.signature.is_tensor else position]

    def refusal(self, shown: str, row: int, position: int) -> ProblemError:
        """Return the problem of a cell (`row` from 0) that is not what its column takes."""
        column = self.column(position)
        wanted = f"is not one of the categories: {shown_categories(column)}" if column.labels else "is not a number"
        way_out = "" if column.labels else "; send one, such as 12.5"
        reason = f"{shown} {wanted}{way_out}"
        return refused([{"row": row + 1, "column": self.signature.column_name(position), "reason": reason}], 1)

    def taken(self) -> str:
        """Return what the model takes, for errors."""
        shape = self.signature.input_shape
        return ", ".join(self.names) or f"rows of shape ({', '.join(map(str, shape))})"

    def _indexed(self, row: Row) -> list[Any]:
        return [value if known is None else known[value] for value, known in zip(row, self.labels, strict=True)]


def _indices(column: Column) -> Mapping[str | None, float] | None:
    """Return the index of each label; the missing one's is NaN."""
    if not column.labels:
        return None
    return {None: MISSING} | {label: float(index) for index, label in enumerate(column.labels)}


def floats(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Return floats as an array, None as NaN; three times as fast as NumPy, which asks each value for its type."""
    try:
        return np.ndarray(len(values), FLOAT64, pack(f"{len(values)}d", *values))
    except StructError:
        return np.array(values, FLOAT64)


def aligned(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array that lies in memory as its type asks: inside a body it may begin at any byte."""
    return array if array.flags.aligned else array.copy()


def check_extent(body: bytes, marks: Iterable[bytes], most: int, max_rows: int) -> None:
    """Refuse a body that must hold too much, before a parser, which lets nobody else work, makes objects of it."""
    if len(body) > most and sum(map(body.count, marks)) > most:
        raise too_many_rows(max_rows)
