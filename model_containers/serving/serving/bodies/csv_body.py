"""CSV bodies: a row a line, columns in the model's order, or in any order under a header line that names them."""

from contextlib import suppress
from functools import lru_cache

import msgspec

from . import csv_careful
from .exchange import Rows
from .json_types import FALL_BACK, Number
from .table import Table, check_extent

LONGEST_HEADER = 4_096  # bytes of a header line that is kept
HEADERS_KEPT = 64


class CsvReader:
    """Reads CSV into rows; empty cells become NaN.

    Lines of plain numbers are JSON but for the brackets, and JSON's decoder is several times as fast as ``float`` at
    every cell. What it does not take, such as ``.5``, a header line or an empty cell, is read cell by cell.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._decode = msgspec.json.Decoder(list[tuple[(Number,) * table.width]]).decode  # type: ignore[misc]
        # Callers send the same few header lines over and over.
        self._order = lru_cache(HEADERS_KEPT)(lambda line: csv_careful.header_order(line, table))
        self._model_order = list(range(table.width))

    def read(self, body: bytes) -> Rows:
        """Return the rows of a body."""
        most = self._table.max_rows
        for ending in (b"\n", b"\r"):  # one line more may be the header
            check_extent(body, (ending,), most + 1, most)
        try:
            return self._plain(body)
        except FALL_BACK:
            return self._under_header(body)

    def _plain(self, body: bytes) -> Rows:
        rows = self._decode(_as_json(body))
        self._table.check_count(len(rows))
        return self._table.array(rows)

    def _under_header(self, body: bytes) -> Rows:
        header, _, rest = body.partition(b"\n")
        order = self._order(header) if len(header) <= LONGEST_HEADER else None
        if order is not None:
            with suppress(*FALL_BACK):
                rows = self._plain(rest)
                return rows if order == self._model_order else rows[:, order]
        return csv_careful.read(body, self._table)


def _as_json(body: bytes) -> bytes:
    lines = body.rstrip(b"\r\n").replace(b"\r\n", b"\n")
    if b"[" in lines or b"\r" in lines:  # else the body could end a row, or go on with one, where no line ends
        raise ValueError("the body is not lines of plain numbers")
    return b"[[" + lines.replace(b"\n", b"],[") + b"]]"
