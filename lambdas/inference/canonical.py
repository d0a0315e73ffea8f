"""What makes two inputs the same: their values, not how they were written."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any


def canonical(rows: Sequence[Any]) -> bytes:
    """Return rows as bytes that are equal for equal rows and for no others.

    1 and 1.0 are equal, 0 and -0.0, and records whatever the order of their columns. Rows that a signature has checked
    are equal as rows and as records too.
    """
    return json.dumps([_same(row) for row in rows], sort_keys=True, separators=(",", ":")).encode("ascii")


def input_hash(rows: Sequence[Any]) -> str:
    """Return the SHA-256 of rows in hexadecimal digits: equal for equal rows."""
    return sha256(canonical(rows)).hexdigest()


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
