"""JSON bodies: ``{"instances": [...]}`` or a bare list of rows or records, or ``{"columns": {name: [...]}}``."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from . import json_careful
from .exchange import Rows
from .json_types import FALL_BACK, astuple, body_type
from .table import FLOAT64, Table, check_extent

MARKS = (b",", b"[", b"{")
ALLOWANCE = 1_000


class JsonReader:
    """Reads JSON into rows; null becomes NaN."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._decode = msgspec.json.Decoder(body_type(table)).decode
        self._most = most_marks(table)

    def read(self, body: bytes) -> Rows:
        """Return the rows of a body."""
        check_extent(body, MARKS, self._most, self._table.max_rows)
        try:
            return self._rows(self._decode(body))
        except FALL_BACK:
            return json_careful.read(body, self._table)

    def _rows(self, content: Any) -> Rows:
        if type(content) is list:
            return decoded(content, self._table)
        if content.columns is msgspec.UNSET:
            return decoded(content.instances, self._table)
        return self._columns(astuple(content.columns))

    def _columns(self, columns: Sequence[list[Any]]) -> Rows:
        if len(set(map(len, columns))) > 1:
            raise ValueError("the columns differ in length")
        self._table.check_count(len(columns[0]))
        if self._table.labels:
            return self._table.array(list(zip(*columns, strict=True)))
        return np.array(columns, FLOAT64).T


def decoded(rows: list[Any], table: Table) -> Rows:
    """Return rows as `row_type` decodes them, all lists or all records, as an array.

    Raises
    ------
    KeyError, TypeError, ValueError
        The rows are of both kinds, or not of the model's shape.
    """
    table.check_count(len(rows))
    if table.signature.is_tensor:
        array = np.array(rows, FLOAT64)
        if array.shape[1:] != table.signature.row_shape:
            raise ValueError("the rows have another shape")
        return array.reshape(len(rows), -1)
    return table.array(rows if type(rows[0]) is tuple else [astuple(row) for row in rows])


def most_marks(table: Table) -> int:
    """Return how many of `MARKS` a body within the row limit can hold, and a few: brackets, columns too many."""
    in_names = sum(name.encode().count(mark) for name in table.names for mark in MARKS)
    in_labels = sum(max(map(_marks, column.labels), default=0) for column in table.signature.columns)
    # Each innermost list has one bracket or more around it.
    return (table.max_rows + 1) * (2 * table.width + 1 + in_names + in_labels) + ALLOWANCE


def _marks(label: str) -> int:
    return sum(label.encode().count(mark) for mark in MARKS)
