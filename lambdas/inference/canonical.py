"""What makes two inputs the same: their values, not how they were written."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

_ORDERS = 16
"""As many orders of columns are remembered: those of the versions that an instance comes across."""


def canonical(rows: Sequence[Any], columns: Sequence[str] | None = None) -> bytes:
    """Return rows as bytes that are equal for equal rows and for no others.

    1 and 1.0 are equal, 0 and -0.0, and records whatever the order of their columns. Rows that a signature has checked
    are equal as rows and as records too; with its `columns`, whatever order the version has them in that it is of.

    Parameters
    ----------
    rows
        As a signature has returned them, or as they were sent.
    columns
        The names of each row's values, in order; None where they are not known, and what stands where tells rows apart.
    """
    if columns is None:
        return _written([_same(row) for row in rows])
    names = _by_name(tuple(columns))
    found = [names.arranged(_same(row)) for row in rows] if names.arranged is not None else [_same(row) for row in rows]
    # An object, which the bytes of rows alone never are.
    return b'{"columns":' + names.written + b',"rows":' + _written(found) + b"}"


def input_hash(rows: Sequence[Any], columns: Sequence[str] | None = None) -> str:
    """Return the SHA-256 of rows in hexadecimal digits: equal for equal rows, as `canonical` tells them apart."""
    return sha256(canonical(rows, columns)).hexdigest()


@dataclass(frozen=True)
class _ByName:
    """Columns in the order of their names.

    Parameters
    ----------
    written
        The names.
    arranged
        Brings a row's values into that order; None where they are in it.
    """

    written: bytes
    arranged: Callable[[Sequence[Any]], Sequence[Any]] | None


@lru_cache(_ORDERS)
def _by_name(columns: tuple[str, ...]) -> _ByName:
    order = sorted(range(len(columns)), key=columns.__getitem__)
    is_in_order = order == list(range(len(columns)))
    return _ByName(_written(sorted(columns)), None if is_in_order else itemgetter(*order))


def _written(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _same(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return value + 0.0  # which makes -0.0 a 0.0
    if kind is int:
        return _number(value)
    if kind is list:
        return [_same(each) for each in value]
    if kind is dict:
        return {key: _same(each) for key, each in value.items()}
    return value


def _number(value: int) -> float | int:
    """Return an integer as the float that equals it; one that no float equals as it is."""
    try:
        number = float(value)
    except OverflowError:
        return value
    return number if number == value else value
