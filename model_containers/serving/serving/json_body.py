"""JSON bodies: ``{"instances": [...]}`` or a bare list of rows or records, or ``{"columns": {name: [...]}}``."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from .problems import ProblemError, malformed, refused, too_many_rows
from .signature import Signature

MISSING = float("nan")
# Types by identity: to Python, true is an int.
NUMBERS = frozenset({float, int, type(None)})
SHOWN = 40  # characters of a value, in an error
ALLOWANCE = 1_000
FORMS = '{"instances": [...]}, a list of rows or records, or {"columns": {"name": [...]}}'


def decode(body: bytes, signature: Signature, max_rows: int) -> NDArray[np.float64]:
    """Return the rows of a JSON body; null becomes NaN."""
    _check_extent(body, signature.names, max_rows)
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from error
    if isinstance(content, dict) and "columns" in content:
        return _from_columns(content["columns"], signature.names, max_rows)
    return _from_instances(_instances(content), signature.names, max_rows)


def encode(names: list[str], rows: list[tuple[object, ...]]) -> bytes:
    """Return answers as ``{"predictions": [{name: value, ...}, ...]}``."""
    predictions = [dict(zip(names, row, strict=True)) for row in rows]
    return orjson.dumps({"predictions": predictions}, option=orjson.OPT_SERIALIZE_NUMPY)


def _check_extent(body: bytes, names: list[str], max_rows: int) -> None:
    """Refuse a body that must hold too much, before the parser, which lets nobody else work, makes objects of it."""
    marks = [b",", b"[", b"{"]
    row = len(names) + 1 + sum(name.encode().count(mark) for name in names for mark in marks)
    # A few more: the brackets around the rows, and columns beyond those of the model.
    if sum(body.count(mark) for mark in marks) > (max_rows + 1) * row + ALLOWANCE:
        raise too_many_rows(max_rows)


def _instances(content: Any) -> list[Any]:
    instances = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(instances, list):
        raise malformed(f"the JSON body has none of the forms that are read: {FORMS}")
    return instances


def _from_instances(instances: list[Any], names: list[str], max_rows: int) -> NDArray[np.float64]:
    if len(instances) > max_rows:
        raise too_many_rows(max_rows)
    rows = [_row(each, number, names) for number, each in enumerate(instances, start=1)]
    return np.array([_numbers(row, number, names) for number, row in enumerate(rows)], dtype=np.float64)


def _row(instance: Any, number: int, names: list[str]) -> list[Any]:
    if isinstance(instance, dict):
        _check_names(instance, f"row {number}", names)
        return [instance[name] for name in names]
    if not isinstance(instance, list):
        raise malformed(f"row {number} is neither a list of {len(names)} numbers nor an object of columns")
    if len(instance) != len(names):
        raise malformed(f"row {number} has {len(instance)} columns; the model takes {len(names)}")
    return instance


def _from_columns(columns: Any, names: list[str], max_rows: int) -> NDArray[np.float64]:
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        raise malformed('"columns" must be an object of lists, one for each column')
    _check_names(columns, '"columns"', names)
    lengths = {name: len(columns[name]) for name in names}
    if len(set(lengths.values())) > 1:
        raise malformed(f"the columns differ in length: {lengths}")
    if max(lengths.values(), default=0) > max_rows:
        raise too_many_rows(max_rows)
    return np.column_stack([_column(columns[name], name) for name in names])


def _column(values: list[Any], name: str) -> NDArray[np.float64]:
    if not set(map(type, values)) <= NUMBERS:
        number = next(number for number, value in enumerate(values) if type(value) not in NUMBERS)
        raise _not_a_number(values[number], number, name)
    return np.array(values, dtype=np.float64)


def _check_names(given: dict[str, Any], where: str, names: list[str]) -> None:
    absent = [name for name in names if name not in given]
    unknown = [name for name in given if name not in names]
    if absent:
        raise malformed(f"{where} lacks column '{absent[0]}'; the model takes {', '.join(names)}")
    if unknown:
        raise malformed(f"{where} has column '{unknown[0][:40]}', which the model does not take: {', '.join(names)}")


def _numbers(row: list[Any], number: int, names: list[str]) -> list[float]:
    return [_number(value, number, name) for value, name in zip(row, names, strict=True)]


def _number(value: Any, row: int, column: str) -> float:
    if type(value) not in NUMBERS:
        raise _not_a_number(value, row, column)
    return MISSING if value is None else float(value)


def _not_a_number(value: Any, row: int, column: str) -> ProblemError:
    return refused([{"row": row + 1, "column": column, "reason": f"{_shown(value)} is not a number"}], 1)


def _shown(value: Any) -> str:
    # Nothing but scalars: the parser reads deeper nesting than the writer writes.
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return orjson.dumps(value[:SHOWN] if isinstance(value, str) else value).decode()
