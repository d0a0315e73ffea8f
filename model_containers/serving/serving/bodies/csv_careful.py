"""The careful way to read CSV: cell by cell, with header lines, quotes, missing cells and categories."""

import csv
import io
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..problems import malformed, too_many_rows
from ..signature import MISSING
from .table import Table

# float() also reads "1_000" and "infinity", which in a CSV file are mistakes. The quantifiers are possessive: to give
# digits back one by one would take seconds on megabytes of them, and hold the interpreter for as long.
_NUMBER = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
_MISSING = frozenset({"", "nan", "null", "na"})
_LONGEST_MISSING = max(map(len, _MISSING))
_SHOWN = 40  # characters of a cell, in an error
_SHOWN_CELLS = 5
_OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs"}
_COMMAS_IN_QUOTES = 16  # for each cell: beyond it, a body is taken for an attack rather than for prose

Lines = list[list[str]]


def read(body: bytes, table: Table) -> NDArray[np.float64]:
    """Return the rows of a CSV body.

    Raises
    ------
    ProblemError
        Status 400 or 413, naming row (from 1, without the header) and column where there is one.
    """
    lines = _lines(body, table)
    order = _header(lines[0], table) if lines else None
    data = lines if order is None else lines[1:]
    table.check_count(len(data))
    for number, line in enumerate(data, start=1):
        if len(line) != table.width:
            _check_separator(",".join(line), f"row {number}", table)
            raise malformed(f"row {number} has {_count(line, table)} columns; the model takes {table.width}")
    return _values(data, order or range(table.width), table)


def _lines(body: bytes, table: Table) -> Lines:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed(f"the CSV body is not UTF-8: {error}; send UTF-8") from error
    if '"' in text:
        return _quoted_lines(text, table)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    # What is beyond the model's columns stays one cell: millions of commas are no millions of objects.
    return [line.split(",", table.width) for line in lines if line.strip()]


def _quoted_lines(text: str, table: Table) -> Lines:
    if text.count(",") > (table.max_rows + 1) * table.width * _COMMAS_IN_QUOTES:
        raise too_many_rows(table.max_rows)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        _check_separator(text.partition("\n")[0], "the first line", table)
        raise malformed(f"the quotes of the CSV body do not match: {error}; double those within quotes") from error
    return [line for line in lines if len(line) > 1 or "".join(line).strip()]


def _check_separator(line: str, where: str, table: Table) -> None:
    """Refuse a line that other marks than commas divide into cells, as spreadsheets write it."""
    for mark, name in _OTHER_SEPARATORS.items():
        least = table.width - 1 if "," in line else 1
        if line.count(mark) >= least and table.width > 1:
            way_out = "separate them with commas, and write 0.5 and not 0,5"
            raise malformed(f"{where} has {name} between its cells; {way_out}")


def _count(line: Sequence[str], table: Table) -> int:
    return len(line) + (line[-1].count(",") if len(line) > table.width else 0)


def header_order(line: bytes, table: Table) -> list[int] | None:
    """Return where each column of the model stands under a header line; None if it is none, or not a plain one."""
    try:
        return _order([cell.strip() for cell in line.decode("utf-8-sig").split(",")], table)
    except UnicodeDecodeError:
        return None


def _order(given: list[str], table: Table) -> list[int] | None:
    return [given.index(name) for name in table.names] if sorted(given) == sorted(table.names) else None


def _header(first: list[str], table: Table) -> list[int] | None:
    """Return where each column of the model stands under this header line, or None if it is a row of data."""
    given = [cell.strip().strip('"') for cell in first]
    order = _order(given, table)
    if order is not None:
        return order
    if table.labels or table.signature.is_tensor or any(_is_number(cell) or _is_missing(cell) for cell in given):
        return None
    if len(first) != table.width:
        _check_separator(",".join(first), "the first line", table)
    raise malformed(f"the header line names {_shown(given)}; the model takes {table.taken()}")


def _shown(cells: list[str]) -> str:
    more = ", ..." if len(cells) > _SHOWN_CELLS else ""
    return ", ".join(cell[:_SHOWN] for cell in cells[:_SHOWN_CELLS]) + more


def _values(data: Lines, order: Sequence[int], table: Table) -> NDArray[np.float64]:
    rows = np.empty((len(data), table.width))
    for number, line in enumerate(data):
        for position, place in enumerate(order):
            rows[number, position] = _value(line[place].strip(), number, position, table)
    return rows


def _value(text: str, row: int, position: int, table: Table) -> float:
    known = table.labels[position] if table.labels else None
    if known is not None and text in known:
        return known[text]
    if known is None and _is_number(text):
        return float(text)
    if _is_missing(text):
        return MISSING
    raise table.refusal(repr(text[:_SHOWN]), row, position)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_missing(text: str) -> bool:
    return len(text) <= _LONGEST_MISSING and text.lower() in _MISSING
