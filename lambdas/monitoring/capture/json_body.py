"""JSON bodies: lists of rows or records, under a name or bare, a list a column, or one of them a line."""

import json
from collections.abc import Sequence
from typing import Any

from lambdas.monitoring.capture import reasons
from lambdas.monitoring.capture.layout import Cell, Layout, Table
from lambdas.monitoring.capture.reasons import UnreadableError
from lambdas.monitoring.profile.classes import level_text

_NUMBERS = frozenset({float, int})
"""Types by identity: to Python, true is an int."""

_SHOWN = 40


def read_json(text: str, layout: Layout, key: str) -> Table:
    """Return the rows of a JSON body: ``{key: [...]}``, a bare list, or ``{"columns": {name: [...]}}``.

    Raises
    ------
    UnreadableError
        With row (from 1) and column, where there is one.
    """
    content = _parsed(text, "the body")
    if type(content) is dict:
        if key in content:
            content = content[key]
        elif type(content.get("columns")) is dict:
            return _from_columns(content["columns"], layout)
    if type(content) is not list:
        raise UnreadableError(
            reasons.WRONG_FORM, f'the JSON body is neither a list nor {{"{key}": [...]}} nor {{"columns": {{...}}}}'
        )
    return _from_rows(content, layout)


def read_json_lines(text: str, layout: Layout) -> Table:
    """Return the rows of JSON Lines: a list or a record a line; blank lines do not count."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    return _from_rows([_parsed(line, f"line {number}") for number, line in enumerate(lines, start=1)], layout)


def _parsed(text: str, what: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise UnreadableError(reasons.WRONG_FORM, f"{what} is JSON that is nested too deeply") from error
    except ValueError as error:
        raise UnreadableError(reasons.WRONG_FORM, f"{what} is not JSON: {error}") from error


def _from_rows(instances: list[Any], layout: Layout) -> Table:
    if len(instances) == 1 and type(instances[0]) is dict:
        return _from_record(instances[0], layout)
    rows = []
    unknown: dict[str, None] = {}
    for number, instance in enumerate(instances, start=1):
        if type(instance) is dict and instance.keys() != layout.places.keys():
            unknown |= dict.fromkeys(name for name in instance if name not in layout.places)
        rows.append(_row(_listed(instance, layout), number, layout))
    return Table(rows, tuple(unknown))


def _listed(instance: Any, layout: Layout) -> Any:
    """Return a record's values, or the value that is all of a row of one column, as a list."""
    if type(instance) is dict:
        return list(map(instance.get, layout.names))
    return instance if type(instance) is list or layout.width > 1 else [instance]


def _from_record(record: dict[str, Any], layout: Layout) -> Table:
    known = layout.places
    unknown = () if record.keys() == known.keys() else tuple(name for name in record if name not in known)
    return Table([_row(list(map(record.get, layout.names)), 1, layout)], unknown)


def _from_columns(columns: dict[str, Any], layout: Layout) -> Table:
    lengths = {len(values) if type(values) is list else -1 for values in columns.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise UnreadableError(reasons.WRONG_FORM, '"columns" is not an object of lists of the same length')
    absent = [None] * lengths.pop()
    rows = zip(*(columns.get(name, absent) for name in layout.names), strict=True)
    unknown = tuple(name for name in columns if name not in layout.places)
    return Table([_row(row, number, layout) for number, row in enumerate(rows, start=1)], unknown)


def _row(row: Any, number: int, layout: Layout) -> Sequence[Cell]:
    if not isinstance(row, list | tuple):
        raise UnreadableError(reasons.WRONG_FORM, f"row {number} is neither a list nor an object")
    if len(row) != layout.width:
        raise UnreadableError(reasons.WRONG_WIDTH, f"row {number} has {len(row)} columns; {layout.width} belong there")
    if layout.all_numeric and _NUMBERS.issuperset(map(type, row)):
        try:
            return list(map(float, row))
        except OverflowError:
            pass
    return [_cell(value, place, number, layout) for place, value in enumerate(row)]


def _cell(value: Any, place: int, row: int, layout: Layout) -> Cell:
    if value is None:
        return None
    if not layout.numeric[place]:
        return _category(value, row, layout.names[place])
    if type(value) in _NUMBERS:
        try:
            return float(value)
        except OverflowError:
            pass
    shown = json.dumps(value)[:_SHOWN] if type(value) in (str, bool, int) else f"a {type(value).__name__}"
    raise UnreadableError(reasons.NOT_A_NUMBER, f"row {row}, column {layout.names[place]}: {shown} is not a number")


def _category(value: Any, row: int, column: str) -> str | None:
    if type(value) in (str, bool, int, float):
        return level_text(value)
    raise UnreadableError(
        reasons.NOT_A_CATEGORY, f"row {row}, column {column}: a {type(value).__name__} is not a category"
    )
