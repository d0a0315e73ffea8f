"""Many captured bodies as one table.

What is read here is a subset of what the careful path's `bodies` read, and read to the same values. Whatever else a
body holds raises `NotCleanError`.
"""

import binascii
import codecs
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import orjson
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from lambdas.monitoring.capture.layout import Layout
from lambdas.monitoring.capture.records import CSV_TYPE, JSON_TYPE, Part

from .base64_lines import decoded_lines
from .errors import NotCleanError
from .pieces import Pieces

_SPACE, _COMMA, _NEWLINE = b" ,\n"
_NUMBERS = frozenset({float, int, type(None)})
_TEXTS = frozenset({str, type(None)})
_SIGNED_NAN = (b"+n", b"+N", b"-n", b"-N")


@dataclass(frozen=True)
class Table:
    """The rows of many bodies, one after another.

    Parameters
    ----------
    frame
        A column of numbers or texts for each of the layout's; null is missing.
    lengths
        How many rows each body has; None: one each.
    """

    frame: pl.DataFrame
    lengths: NDArray[np.int64] | None

    def lengths_of(self, bodies: int) -> NDArray[np.int64]:
        """Return how many rows each of the bodies has."""
        return np.ones(bodies, np.int64) if self.lengths is None else self.lengths


def read(bodies: Pieces, part: Part, layout: Layout, key: str) -> Table:
    """Return the rows of bodies that are all of one content type and encoding.

    Parameters
    ----------
    bodies
        As they stand in their lines.
    part
        Any of the bodies: it has their content type and encoding.
    layout
        The columns.
    key
        Under which a JSON body has its rows: ``instances`` or ``predictions``.

    Raises
    ------
    NotCleanError
        If any of them is not clean.
    """
    try:
        if part.content_type == CSV_TYPE:
            return _read_csv(bodies, part.encoding, layout)
        if part.content_type == JSON_TYPE:
            return _read_json(_texts(bodies, part.encoding), layout, key)
    except (PolarsError, binascii.Error, orjson.JSONDecodeError) as error:
        raise NotCleanError(str(error)[:100]) from error
    raise NotCleanError(part.content_type)


def schema_of(layout: Layout) -> dict[str, Any]:
    """Return the types of a layout's columns, under names that cannot clash."""
    return {f"{place}": pl.Float64 if numeric else pl.String for place, numeric in enumerate(layout.numeric)}


def _texts(bodies: Pieces, encoding: str) -> pl.Series:
    column = bodies.column()
    if encoding == "BASE64":
        column = column.bin.decode("base64", strict=True)
    return column.cast(pl.String, strict=True)


def _read_csv(bodies: Pieces, encoding: str, layout: Layout) -> Table:
    if not any(layout.numeric):
        raise NotCleanError("any line may be a header")
    csv = _lines(bodies, encoding)
    lengths = None
    if _controls(csv) != len(bodies) - 1:  # more than the newlines between bodies
        texts = _texts(bodies, encoding).str.strip_suffix("\n")
        lengths = texts.str.count_matches("\n", literal=True).to_numpy().astype(np.int64) + 1
        csv = _joined(texts)
    if b'"' in csv or csv.startswith(codecs.BOM_UTF8) or (not csv.isascii() and b"\n" + codecs.BOM_UTF8 in csv):
        raise NotCleanError("quotes, or a mark of byte order")
    scan = pl.scan_csv(io.BytesIO(csv), has_header=False, schema=schema_of(layout), quote_char=None)
    frame = scan.collect(engine="in-memory")  # a tenth quicker than read_csv
    if frame.height != _controls(csv) + 1 or frame.height < len(bodies):
        raise NotCleanError("blank lines or control characters")
    _check_cells(frame, csv, layout)
    return Table(frame, lengths)


def _lines(bodies: Pieces, encoding: str) -> bytes:
    """Return texts with a newline between any two."""
    lines = decoded_lines(bodies) if encoding == "BASE64" else None
    if lines is None:
        return _joined(_texts(bodies, encoding))
    if not lines.isascii():
        pl.Series([lines], dtype=pl.Binary).cast(pl.String, strict=True)  # refuses what is no UTF-8
    return lines


def _joined(texts: pl.Series) -> bytes:
    text: bytes = texts.str.join("\n").cast(pl.Binary).item()
    return text


def _controls(csv: bytes) -> int:
    """Return how many control characters there are, newlines among them."""
    return int(np.count_nonzero(np.frombuffer(csv, np.uint8) < _SPACE))


def _check_cells(frame: pl.DataFrame, csv: bytes, layout: Layout) -> None:
    if not _as_wide(csv, frame, layout.width):
        raise NotCleanError("blank lines, or another number of cells")
    if _has_nan(frame) and any(sign in csv for sign in _SIGNED_NAN):
        raise NotCleanError("NaN with a sign, which is no number")
    if b" " in csv or not csv.isascii():
        for column in frame.iter_columns():
            if column.dtype == pl.String and not (column.str.strip_chars() == column).all():
                raise NotCleanError("spaces around a cell")


def _as_wide(csv: bytes, frame: pl.DataFrame, width: int) -> bool:
    """Say whether each row has as many cells as it should.

    Polars refuses too many unless the last is empty, and fills up too few, a blank line among them. In a row of too few
    the last column is null; where none is, no row lacks a comma, and so the number of all commas tells.
    """
    content = np.frombuffer(csv, np.uint8)
    commas = content == _COMMA
    if not frame.to_series(width - 1).null_count():
        return int(np.count_nonzero(commas)) == frame.height * (width - 1)
    ends = np.append(np.flatnonzero(content == _NEWLINE), len(csv))
    before = np.searchsorted(np.flatnonzero(commas), ends)
    return width > 1 and bool((np.diff(before, prepend=0) == width - 1).all())


def _has_nan(frame: pl.DataFrame) -> bool:
    return any(math.isnan(column.sum() or 0.0) for column in frame.iter_columns() if column.dtype == pl.Float64)


def _read_json(bodies: pl.Series, layout: Layout, key: str) -> Table:
    parsed = orjson.loads("[" + bodies.str.join(",").item() + "]")
    if len(parsed) != len(bodies):
        raise NotCleanError("a body is not one JSON value")
    lists = [body[key] if type(body) is dict and key in body else body for body in parsed]
    if not all(type(rows) is list and rows for rows in lists):
        raise NotCleanError("no list of rows")
    lengths = np.fromiter(map(len, lists), np.int64, len(lists))
    rows = [_row(row, layout) for row in chain.from_iterable(lists)]
    columns = zip(*rows, strict=True)
    frame = pl.DataFrame(
        [
            _column(name, values, numeric)
            for (name, values), numeric in zip(
                ((f"{place}", values) for place, values in enumerate(columns)), layout.numeric, strict=True
            )
        ]
    )
    return Table(frame, lengths)


def _row(row: Any, layout: Layout) -> Sequence[Any]:
    if type(row) is dict:
        if row.keys() != layout.places.keys():
            raise NotCleanError("other columns")
        return list(map(row.get, layout.names))
    if type(row) is list:
        if len(row) != layout.width:
            raise NotCleanError("another number of cells")
        return row
    if layout.width == 1:
        return [row]
    raise NotCleanError("a row that is none")


def _column(name: str, values: Sequence[Any], numeric: bool) -> pl.Series:
    if not (_NUMBERS if numeric else _TEXTS).issuperset(map(type, values)):
        raise NotCleanError("a cell of another type")
    if numeric:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    return pl.Series(name, values, dtype=pl.String)
