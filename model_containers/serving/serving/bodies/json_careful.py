"""The careful way to read JSON: value by value, so that an error names row and column; slow, for the unusual."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from ..problems import ProblemError, malformed
from ..signature import MISSING
from .table import FLOAT64, Table

# Types by identity: to Python, true is an int.
NUMBERS = frozenset({float, int, type(None)})
SHOWN = 40  # characters of a value, in an error
FORMS = '{"instances": [...]}, a list of rows or records, or {"columns": {"name": [...]}}'


def read(body: bytes, table: Table) -> NDArray[np.float64]:
    """Return the rows of a JSON body.

    Raises
    ------
    ProblemError
        Status 400 or 413, naming row (from 1) and column where there is one.
    """
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from error
    if isinstance(content, dict) and "columns" in content:
        return _from_columns(content["columns"], table)
    instances = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(instances, list):
        raise malformed(f"the JSON body has none of the forms that are read: {FORMS}")
    if instances and not isinstance(instances[0], list | dict):
        raise _flat(instances[0], table, "{}" if instances is content else '{{"instances": {}}}')
    return _from_instances(instances, table)


def read_lines(lines: Sequence[bytes], table: Table) -> NDArray[np.float64]:
    """Return the rows of JSON Lines, each line an instance unless it is blank."""
    return _from_instances([_line(line, number) for number, line in enumerate(lines, start=1) if line.strip()], table)


def shown(value: Any) -> str:
    """Return a value for an error: scalars only, for the parser reads deeper nesting than the writer writes."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return orjson.dumps(value[:SHOWN] if isinstance(value, str) else value).decode()


def _line(text: bytes, number: int) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        place = f"line {number}, column {error.colno}"
        raise malformed(f"{place} is not JSON: {error.msg}; send a list or an object on each line") from error


def _flat(value: Any, table: Table, form: str) -> ProblemError:
    """Return the problem of values where rows belong: mostly it is one row, without the brackets around it."""
    if table.signature.is_tensor:
        return malformed(f"row 1 is {shown(value)} and not a list; the model takes {table.taken()}, in a list")
    row = form.format(f"[[{shown(value)}{', ...' if table.width > 1 else ''}]]")
    return malformed(f"row 1 is {shown(value)} and not a list of {table.width} values; send a single row as {row}")


def _from_instances(instances: list[Any], table: Table) -> NDArray[np.float64]:
    table.check_count(len(instances))
    take = _flattened if table.signature.is_tensor else _listed
    return np.array(
        [_cells(take(each, number, table), number, table) for number, each in enumerate(instances)], FLOAT64
    )


def _listed(instance: Any, number: int, table: Table) -> list[Any]:
    if isinstance(instance, dict):
        _check_names(instance, f"row {number + 1}", table)
        return [instance[name] for name in table.names]
    if not isinstance(instance, list):
        raise malformed(f"row {number + 1} is neither a list of {table.width} values nor an object of columns")
    if len(instance) != table.width:
        raise malformed(f"row {number + 1} has {len(instance)} columns; the model takes {table.width}")
    return instance


def _flattened(instance: Any, number: int, table: Table) -> list[Any]:
    level = [instance]
    for extent in table.signature.row_shape:
        if not all(isinstance(each, list) and len(each) == extent for each in level):
            raise malformed(f"row {number + 1} is not a list of the model's shape; the model takes {table.taken()}")
        level = [value for each in level for value in each]
    return level


def _from_columns(columns: Any, table: Table) -> NDArray[np.float64]:
    if table.signature.is_tensor:
        raise malformed(f'the model has no columns; it takes {table.taken()}, as {{"instances": [...]}}')
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        raise malformed('"columns" must be an object of lists, one for each column')
    _check_names(columns, '"columns"', table)
    lengths = {name: len(columns[name]) for name in table.names}
    if len(set(lengths.values())) > 1:
        raise malformed(f"the columns differ in length: {lengths}")
    rows = list(zip(*(columns[name] for name in table.names), strict=True))
    table.check_count(len(rows))
    return np.array([_cells(row, number, table) for number, row in enumerate(rows)], FLOAT64)


def _check_names(given: dict[str, Any], where: str, table: Table) -> None:
    absent = [name for name in table.names if name not in given]
    unknown = [name for name in given if name not in table.names]
    if absent:
        raise malformed(f"{where} lacks column '{absent[0]}'; the model takes {table.taken()}")
    if unknown:
        raise malformed(f"{where} has column '{unknown[0][:SHOWN]}', which the model does not take: {table.taken()}")


def _cells(row: Sequence[Any], number: int, table: Table) -> list[float]:
    return [_cell(value, number, position, table) for position, value in enumerate(row)]


def _cell(value: Any, row: int, position: int, table: Table) -> float:
    known = table.labels[position] if table.labels else None
    if known is not None and (value is None or isinstance(value, str)) and value in known:
        return known[value]
    if known is not None or type(value) not in NUMBERS:
        raise _refusal(value, row, position, table)
    return MISSING if value is None else float(value)


def _refusal(value: Any, row: int, position: int, table: Table) -> ProblemError:
    return table.refusal(shown(value), row, position)
