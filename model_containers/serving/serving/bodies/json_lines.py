"""JSON Lines bodies: a line is an instance, a list in the columns' order or a record; blank lines do not count."""

import msgspec

from . import json_careful
from .exchange import Rows
from .json_body import MARKS, decoded, most_marks
from .json_types import FALL_BACK, row_type
from .table import Table, check_extent


class JsonLinesReader:
    """Reads JSON Lines into rows; null becomes NaN."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._decode = msgspec.json.Decoder(row_type(table)).decode
        self._most = most_marks(table)

    def read(self, body: bytes) -> Rows:
        """Return the rows of a body."""
        check_extent(body, MARKS, self._most, self._table.max_rows)
        # Counted before the body is taken apart.
        check_extent(body, (b"\n",), self._table.max_rows + 1, self._table.max_rows)
        lines = body.split(b"\n")
        instances = [line for line in lines if line and not line.isspace()]
        self._table.check_count(len(instances))
        try:
            return decoded(list(map(self._decode, instances)), self._table)
        except FALL_BACK:
            return json_careful.read_lines(lines, self._table)
