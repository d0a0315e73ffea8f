"""Takes the values of columns out of bodies before they are written anywhere.

What is not understood to the last cell is not written at all: a body in a form that is not listed here, with another
number of cells than there are columns, or with names twice, is refused.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson

from ...headers import media_type
from .line import CSV, JSON

JSON_LINES = frozenset({"application/jsonlines", "application/x-ndjson"})
_EMPTY = ""
_EMPTY_LINE = "null"
"""Stands for the cell of a row that has no other: an empty line would be no row."""


class UnknownColumnError(Exception):
    """A column that is to be redacted is none of the model's: with a name misspelt, its values would be written."""


class UnredactableError(Exception):
    """A body of which nobody can say where the columns' values are."""


class Redaction:
    """Redacts the bodies of one side, requests or answers.

    Parameters
    ----------
    names
        The columns of this side in their order.
    hidden
        Columns whose values go, of this side or the other.
    key
        What JSON bodies of this side have their rows under.
    has_header
        Whether CSV of this side may begin with a line of names.
    """

    def __init__(self, names: Sequence[str], hidden: Iterable[str], key: str, *, has_header: bool) -> None:
        self._names = list(names)
        self._hidden = frozenset(hidden)
        self._places = [place for place, name in enumerate(names) if name in self._hidden]
        self._key = key
        self._has_header = has_header

    @property
    def is_needed(self) -> bool:
        """Whether this side has any column that is to be redacted."""
        return bool(self._places)

    def redact(self, content_type: str, body: bytes) -> bytes:
        """Return a body without the values.

        Raises
        ------
        UnredactableError
            When it cannot be said where they are.
        """
        kind = media_type(content_type)
        way = self._ways().get(kind)
        if way is None:
            raise UnredactableError(f"{kind or 'no content type'} has no columns that could be told apart")
        try:
            return way(body)
        except (ValueError, csv.Error, RecursionError) as error:  # UnicodeDecodeError and JSON's are ValueErrors
            raise UnredactableError(str(error)) from error

    def _ways(self) -> dict[str, Callable[[bytes], bytes]]:
        lines = dict.fromkeys(JSON_LINES, self._json_lines)
        return {CSV: self._csv, JSON: self._json, **lines}

    # CSV.

    def _csv(self, body: bytes) -> bytes:
        rows = _rows_of(body.decode("utf-8-sig"))
        order = self._header(rows[0]) if rows and self._has_header else None
        places = self._places if order is None else [place for place, name in enumerate(order) if name in self._hidden]
        for row in rows if order is None else rows[1:]:
            if len(row) != len(self._names):
                raise UnredactableError(f"a row has {len(row)} cells, and there are {len(self._names)} columns")
            for place in places:
                row[place] = _EMPTY if len(row) > 1 else _EMPTY_LINE
        return _as_csv(rows)

    def _header(self, cells: list[str]) -> list[str] | None:
        """Return the names of a header line; None if it is a row."""
        given = [cell.strip().strip('"') for cell in cells]
        return given if sorted(given) == sorted(self._names) else None

    # JSON.

    def _json(self, body: bytes) -> bytes:
        content = orjson.loads(body)
        if isinstance(content, list):
            return orjson.dumps([self._row(row) for row in content])
        if not isinstance(content, dict):
            raise UnredactableError("neither a list nor an object")
        # Whatever else is in it is no part of the rows, and left out.
        kept: dict[str, Any] = {}
        if isinstance(content.get(self._key), list):
            kept[self._key] = [self._row(row) for row in content[self._key]]
        if isinstance(content.get("columns"), dict):
            kept["columns"] = {name: self._column(name, values) for name, values in content["columns"].items()}
        if not kept:
            raise UnredactableError(f'neither "{self._key}" nor "columns" is in it')
        return orjson.dumps(kept)

    def _json_lines(self, body: bytes) -> bytes:
        rows = [orjson.loads(line) for line in body.split(b"\n") if line.strip()]
        return b"\n".join(orjson.dumps(self._row(row)) for row in rows) + b"\n"

    def _row(self, row: Any) -> Any:
        if isinstance(row, dict):
            return {name: None if name in self._hidden else value for name, value in row.items()}
        if not isinstance(row, list) or len(row) != len(self._names):
            raise UnredactableError("a row is neither an object nor a list of as many values as there are columns")
        return [None if name in self._hidden else value for name, value in zip(self._names, row, strict=True)]

    def _column(self, name: str, values: Any) -> Any:
        if not isinstance(values, list):
            raise UnredactableError("a column is not a list")
        return [None] * len(values) if name in self._hidden else values


def _rows_of(text: str) -> list[list[str]]:
    if '"' in text:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        return [row for row in rows if len(row) > 1 or "".join(row).strip()]
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line.split(",") for line in lines if line.strip()]


def _as_csv(rows: list[list[str]]) -> bytes:
    if any(mark in cell for row in rows for cell in row for mark in '",\r\n'):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()
    return "".join([",".join(row) + "\n" for row in rows]).encode()
