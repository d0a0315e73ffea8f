"""CSV bodies: a row a line, columns in the model's order, or in any order under a header line that names them."""

import re

import numpy as np
from numpy.typing import NDArray

from .problems import malformed, refused
from .signature import Signature

# float() also reads "1_000" and "infinity", which in a CSV file are mistakes.
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MISSING = frozenset({"", "nan", "null", "na"})


def decode(body: bytes, signature: Signature) -> NDArray[np.float64]:
    """Return the rows of a CSV body; empty cells become NaN."""
    try:
        lines = [line for line in body.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise malformed(f"the CSV body is not UTF-8: {error}; send UTF-8") from error
    cells = [line.split(",") for line in lines]
    order = _header(cells[0], signature.names) if cells else None
    data = cells if order is None else cells[1:]
    _check_widths(data, len(signature.names))
    rows = _numbers(data, _order(signature.names, order))
    return rows if order is None else rows[:, order]


def encode(rows: list[tuple[object, ...]]) -> bytes:
    """Return answers as CSV, a line for each row."""
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def _header(first: list[str], names: list[str]) -> list[int] | None:
    """Return where each column of the model stands under this header line, or None if it is a row of data."""
    given = [cell.strip().strip('"') for cell in first]
    if any(_is_number(cell) or cell.lower() in _MISSING for cell in given):
        return None
    if sorted(given) != sorted(names):
        raise malformed(f"the header line names {', '.join(given)}; the model takes {', '.join(names)}")
    return [given.index(name) for name in names]


def _order(names: list[str], order: list[int] | None) -> list[str]:
    """Return the column names as they stand in the body."""
    if order is None:
        return names
    return [name for _, name in sorted(zip(order, names, strict=True))]


def _check_widths(data: list[list[str]], width: int) -> None:
    for number, row in enumerate(data, start=1):
        if len(row) != width:
            raise malformed(f"row {number} has {len(row)} columns; the model takes {width}")


def _numbers(data: list[list[str]], names: list[str]) -> NDArray[np.float64]:
    rows = np.empty((len(data), len(names)))
    for number, row in enumerate(data):
        for position, cell in enumerate(row):
            rows[number, position] = _number(cell.strip(), number, names[position])
    return rows


def _number(text: str, row: int, column: str) -> float:
    if _is_number(text):
        return float(text)
    if text.lower() in _MISSING:
        return float("nan")
    reason = f"{text[:40]!r} is not a number; send one, such as 12.5"
    raise refused([{"row": row + 1, "column": column, "reason": reason}], 1)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None
