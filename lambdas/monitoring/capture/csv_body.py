"""CSV bodies: a row a line, with or without a header line, cells in quotes or not."""

import csv
import io
import re
from collections.abc import Sequence

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.layout import Cell, Layout, Table
from lambdas.monitoring.capture.reasons import UnreadableError

# float() also reads "1_000", and digits of other scripts. The quantifiers are possessive, so that no cell takes long.
_NUMBER = re.compile(r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?", re.ASCII)
_MISSING = frozenset({"", "null", "na", "none"})
_NOT_FINITE = frozenset({"nan", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"})
_SHOWN = 40


def read_csv(text: str, layout: Layout) -> Table:
    """Return the rows of a CSV body.

    The first line is a header when one of the layout's names is in it and no cell is a number or empty; columns may
    then stand in any order, be too many, or be missing.

    Raises
    ------
    UnreadableError
        With row (from 1) and column, where there is one.
    """
    lines = _lines(text)
    if layout.all_numeric and "_" not in text and text.isascii():
        try:
            rows = [list(map(float, line)) for line in lines]
        except ValueError:
            pass  # a header, an empty cell, or a mistake
        else:
            _check_widths(rows, layout)
            return Table(rows)
    return _carefully(lines, layout)


def _lines(text: str) -> list[list[str]]:
    if '"' in text:
        try:
            quoted = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        except csv.Error as error:
            raise UnreadableError(reasons.WRONG_FORM, f"the quotes of the CSV body do not match: {error}") from error
        return [line for line in quoted if len(line) > 1 or "".join(line).strip()]
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return [line.split(",") for line in text.split("\n") if line and not line.isspace()]


def _carefully(lines: list[list[str]], layout: Layout) -> Table:
    if lines and _is_header(lines[0], layout):
        return _under_header([cell.strip() for cell in lines[0]], lines[1:], layout)
    _check_widths(lines, layout)
    return Table([_row(line, range(layout.width), number, layout) for number, line in enumerate(lines, start=1)])


def _under_header(header: list[str], lines: list[list[str]], layout: Layout) -> Table:
    if len(set(header)) < len(header):
        raise UnreadableError(reasons.WRONG_FORM, f"the header line names a column twice: {','.join(header)[:_SHOWN]}")
    for number, line in enumerate(lines, start=1):
        if len(line) != len(header):
            raise _wrong_width(number, len(line), len(header))
    places = [header.index(name) if name in header else -1 for name in layout.names]
    unknown = tuple(name for name in header if name not in layout.places)
    return Table([_row(line, places, number, layout) for number, line in enumerate(lines, start=1)], unknown)


def _is_header(cells: list[str], layout: Layout) -> bool:
    given = [cell.strip() for cell in cells]
    if any(_NUMBER.fullmatch(cell) or cell.lower() in _MISSING or cell.lower() in _NOT_FINITE for cell in given):
        return False
    return any(cell in layout.places for cell in given)


def _check_widths(rows: Sequence[Sequence[object]], layout: Layout) -> None:
    for number, row in enumerate(rows, start=1):
        if len(row) != layout.width:
            raise _wrong_width(number, len(row), layout.width)


def _wrong_width(number: int, found: int, wanted: int) -> UnreadableError:
    return UnreadableError(reasons.WRONG_WIDTH, f"row {number} has {found} columns; {wanted} belong there")


def _row(line: list[str], places: Sequence[int], number: int, layout: Layout) -> list[Cell]:
    return [
        None if at < 0 else _cell(line[at].strip(), layout.numeric[column], number, layout.names[column])
        for column, at in enumerate(places)
    ]


def _cell(text: str, numeric: bool, row: int, column: str) -> Cell:
    if not numeric:
        return text or None
    if _NUMBER.fullmatch(text):
        return float(text)
    lowered = text.lower()
    if lowered in _MISSING:
        return None
    if lowered in _NOT_FINITE:
        return float(text)
    raise UnreadableError(reasons.NOT_A_NUMBER, f"row {row}, column {column}: {text[:_SHOWN]!r} is not a number")
