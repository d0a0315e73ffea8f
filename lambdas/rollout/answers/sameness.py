"""Whether two answers to one request say the same."""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from lambdas.rollout.answers.captures import Reply
from lambdas.rollout.judge.incomparable import Name
from lambdas.rollout.policy import Answers

_CSV = "text/csv"
_JSON = "application/json"
_JSON_LINES = frozenset(
    {"application/jsonlines", "application/x-jsonlines", "application/jsonl", "application/x-ndjson"}
)


_ROUNDING = 1e-9


class UnreadableError(ValueError):
    """An answer is not what its content type says, or has nothing in it of what is to be compared."""


class FieldlessError(UnreadableError):
    """An answer has no field of the name; `names` are those that it does have."""

    def __init__(self, field: str, names: Iterable[Name] = ()) -> None:
        super().__init__(f"the answer has no field {field!r}")
        self.names = frozenset(names)


def differ(live: Reply, new: Reply | None, settings: Answers) -> bool:
    """Return whether the new version's answer is another than the live one's; a refusal, which is None, always is.

    Raises
    ------
    UnreadableError
        When the live version's answer cannot be read, or has no such field, so that nothing can be said. One of the
        new version's that cannot be read, or has no such field, is another answer.
    """
    expected = _read(live, settings.field)
    if new is None or _kind(live) != _kind(new):
        return True
    try:
        return not same(expected, _read(new, settings.field), settings.tolerance)
    except UnreadableError:
        return True
    except RecursionError as error:
        raise UnreadableError("the answer is nested too deeply") from error


def same(one: Any, other: Any, tolerance: float) -> bool:
    """Return whether two values are the same; numbers are when they are no further apart than `tolerance`."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return _near(one, other, tolerance)
    if type(one) is not type(other):
        return False
    if isinstance(one, list):
        return len(one) == len(other) and all(same(*pair, tolerance) for pair in zip(one, other, strict=True))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key], tolerance) for key in one)
    return bool(one == other)


def _near(one: float, other: float, tolerance: float) -> bool:
    if one == other:
        return True
    try:
        apart = abs(one - other)
    except OverflowError:  # whole numbers of any length may be in JSON
        return False
    if math.isnan(apart):
        return math.isnan(one) and math.isnan(other)
    # 0.51 and 0.50 are 0.01 apart, whatever their binary forms are.
    return apart <= tolerance or math.isclose(apart, tolerance, rel_tol=_ROUNDING)


def _kind(reply: Reply) -> str:
    kind = reply.content_type.partition(";")[0].strip().lower()
    if kind in _JSON_LINES:
        return "application/jsonlines"
    return _JSON if kind.endswith("+json") else kind


def _read(reply: Reply, field: str) -> Any:
    """Return what of an answer is compared; what is neither JSON nor CSV can only be compared byte by byte."""
    kind = _kind(reply)
    try:
        if kind == _CSV:
            return _columns(reply.body, field)
        if kind == _JSON:
            return _picked(json.loads(reply.body), field)
        if kind in _JSON_LINES:
            return _picked([json.loads(line) for line in reply.body.splitlines() if line.strip()], field)
    except FieldlessError:
        raise
    except (csv.Error, RecursionError, ValueError) as error:
        raise UnreadableError(f"the answer cannot be read as {kind}: {error}") from error
    if field:
        raise FieldlessError(field)
    return reply.body


def _picked(value: Any, field: str) -> Any:
    """Return every value under a key, wherever it stands; without a key all of the answer."""
    if not field:
        return value
    found = list(_under(value, field))
    if not found:
        raise FieldlessError(field, _names(value))
    return found


def _under(value: Any, field: str) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _under(each, field)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == field:
                yield each
            else:
                yield from _under(each, field)


def _names(value: Any) -> Iterator[Name]:
    """Yield every key of an answer, wherever it stands."""
    if isinstance(value, list):
        for each in value:
            yield from _names(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield (key,)
            yield from _names(each)


def _columns(body: bytes, field: str) -> list[list[Any]]:
    """Return the rows of a table, or of one column of it: of the only one, where no header names any."""
    rows = [row for row in csv.reader(io.StringIO(body.decode(), newline="")) if row]
    if field:
        header = [cell.strip() for cell in rows[0]] if rows else []
        if field in header:
            place = header.index(field)
            rows = [row[place : place + 1] for row in rows[1:]]
        elif any(len(row) != 1 for row in rows) or not rows:
            raise FieldlessError(field, [tuple(header)] if _is_header(rows) else ())
    return [[_cell(cell) for cell in row] for row in rows]


def _is_header(rows: list[list[str]]) -> bool:
    """Return whether the first row may name columns: all of it is words, none of them again below, where numbers stand.

    A row that names none holds values, which are nobody's to keep; so it must be that of other answers, too.
    """
    if len(rows) < 2 or len(rows[0]) != len(rows[1]):
        return False
    first, second = ([_cell(cell) for cell in row] for row in rows[:2])
    if any(cell.strip() in first for row in rows[1:] for cell in row):
        return False
    return all(isinstance(cell, str) and cell for cell in first) and any(isinstance(cell, float) for cell in second)


def _cell(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text.strip()
