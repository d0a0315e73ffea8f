"""CSV bodies: a row a line, columns in the model's order, or in any order under a header line that names them."""

import re

import numpy as np
from numpy.typing import NDArray

from .problems import malformed, refused, too_many_rows
from .signature import Signature

# float() also reads "1_000" and "infinity", which in a CSV file are mistakes. No two parts of the pattern compete for
# the same digits: a pattern that tries every way to share them out takes quadratic time, and the interpreter with it.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_LONGEST = 64
_SHOWN = 40  # characters of a cell, in an error
_SHOWN_CELLS = 5
_MISSING = frozenset({"", "nan", "null", "na"})


def decode(body: bytes, signature: Signature, max_rows: int) -> NDArray[np.float64]:
    """Return the rows of a CSV body; empty cells become NaN."""
    lines = _lines(body, max_rows)
    order = _header(_cells(lines[0], signature), signature.names) if lines else None
    data = lines if order is None else lines[1:]
    if len(data) > max_rows:
        raise too_many_rows(max_rows)
    _check_widths(data, len(signature.names))
    rows = _numbers([_cells(line, signature) for line in data], _order(signature.names, order))
    return rows if order is None else rows[:, order]


def encode(rows: list[tuple[object, ...]]) -> bytes:
    """Return answers as CSV, a line for each row."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def _lines(body: bytes, max_rows: int) -> list[str]:
    # Counted before the body is taken apart; one line more may be the header.
    if max(body.count(b"\n"), body.count(b"\r")) > max_rows + 1:
        raise too_many_rows(max_rows)
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise malformed(f"the CSV body is not UTF-8: {error}; send UTF-8") from error
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [line for line in lines if line.strip()]


def _cells(line: str, signature: Signature) -> list[str]:
    """Return a line's cells, and what is beyond the model's columns as one."""
    return line.split(",", len(signature.names))


def _header(first: list[str], names: list[str]) -> list[int] | None:
    """Return where each column of the model stands under this header line, or None if it is a row of data."""
    given = [cell.strip().strip('"') for cell in first]
    if any(_is_number(cell) or _is_missing(cell) for cell in given):
        return None
    if sorted(given) != sorted(names):
        raise malformed(f"the header line names {_shown(given)}; the model takes {', '.join(names)}")
    return [given.index(name) for name in names]


def _order(names: list[str], order: list[int] | None) -> list[str]:
    """Return the column names as they stand in the body."""
    if order is None:
        return names
    return [name for _, name in sorted(zip(order, names, strict=True))]


def _shown(cells: list[str]) -> str:
    more = ", ..." if len(cells) > _SHOWN_CELLS else ""
    return ", ".join(cell[:_SHOWN] for cell in cells[:_SHOWN_CELLS]) + more


def _check_widths(data: list[str], width: int) -> None:
    for number, line in enumerate(data, start=1):
        if line.count(",") + 1 != width:
            raise malformed(f"row {number} has {line.count(',') + 1} columns; the model takes {width}")


def _numbers(data: list[list[str]], names: list[str]) -> NDArray[np.float64]:
    rows = np.empty((len(data), len(names)))
    for number, row in enumerate(data):
        for position, cell in enumerate(row):
            rows[number, position] = _number(cell.strip(), number, names[position])
    return rows


def _number(text: str, row: int, column: str) -> float:
    if _is_number(text):
        return float(text)
    if _is_missing(text):
        return float("nan")
    reason = f"{text[:_SHOWN]!r} is not a number; send one, such as 12.5"
    raise refused([{"row": row + 1, "column": column, "reason": reason}], 1)


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST and _NUMBER.fullmatch(text) is not None


def _is_missing(text: str) -> bool:
    return len(text) <= _LONGEST and text.lower() in _MISSING
