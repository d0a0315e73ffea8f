"""JSON bodies: ``{"instances": [...]}`` or a bare list of rows or records, or ``{"columns": {name: [...]}}``."""

from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from .problems import ProblemError, malformed, refused
from .signature import Signature

MISSING = float("nan")
FORMS = '{"instances": [...]}, a list of rows or records, or {"columns": {"name": [...]}}'


def decode(body: bytes, signature: Signature) -> NDArray[np.float64]:
    """Return the rows of a JSON body; null becomes NaN."""
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error}") from error
    rows = _rows(content, signature.names)
    return np.array([_numbers(row, number, signature.names) for number, row in enumerate(rows)], dtype=np.float64)


def encode(names: list[str], rows: list[tuple[object, ...]]) -> bytes:
    """Return answers as ``{"predictions": [{name: value, ...}, ...]}``."""
    predictions = [dict(zip(names, row, strict=True)) for row in rows]
    return orjson.dumps({"predictions": predictions}, option=orjson.OPT_SERIALIZE_NUMPY)


def _rows(content: Any, names: list[str]) -> list[list[Any]]:
    if isinstance(content, dict) and "columns" in content:
        return _from_columns(content["columns"], names)
    instances = content.get("instances") if isinstance(content, dict) else content
    if not isinstance(instances, list):
        raise malformed(f"the JSON body has none of the forms that are read: {FORMS}")
    return [_row(each, number, names) for number, each in enumerate(instances, start=1)]


def _row(instance: Any, number: int, names: list[str]) -> list[Any]:
    if isinstance(instance, dict):
        _check_names(instance, f"row {number}", names)
        return [instance[name] for name in names]
    if not isinstance(instance, list):
        raise malformed(f"row {number} is neither a list of {len(names)} numbers nor an object of columns")
    if len(instance) != len(names):
        raise malformed(f"row {number} has {len(instance)} columns; the model takes {len(names)}")
    return instance


def _from_columns(columns: Any, names: list[str]) -> list[list[Any]]:
    if not isinstance(columns, dict) or not all(isinstance(values, list) for values in columns.values()):
        raise malformed('"columns" must be an object of lists, one for each column')
    _check_names(columns, '"columns"', names)
    lengths = {name: len(columns[name]) for name in names}
    if len(set(lengths.values())) > 1:
        raise malformed(f"the columns differ in length: {lengths}")
    return [list(row) for row in zip(*(columns[name] for name in names), strict=True)]


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
    # A type check by identity: to Python, true is an int.
    if type(value) is float or type(value) is int:
        return float(value)
    if value is None:
        return MISSING
    raise _not_a_number(value, row, column)


def _not_a_number(value: Any, row: int, column: str) -> ProblemError:
    shown = orjson.dumps(value).decode()[:40]
    return refused([{"row": row + 1, "column": column, "reason": f"{shown} is not a number"}], 1)
