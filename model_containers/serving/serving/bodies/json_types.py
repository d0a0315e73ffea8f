"""The types that JSON is decoded straight into: strict, so that true, "1" and NaN are no numbers."""

import re
from functools import reduce
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from .table import Table

Number = float | None
FALL_BACK = (msgspec.MsgspecError, KeyError, TypeError, ValueError, RecursionError)
"""What the fast ways raise at a body that is unusual or wrong: the careful one then reads it, or says what is wrong."""

_UNNAMEABLE = re.compile(r'[\\"\x00-\x1f]')

astuple = msgspec.structs.astuple


def row_type(table: Table) -> Any:
    """Return the type of a row: a list in the columns' order or a record by name; of a tensor, nested lists."""
    shape = table.signature.input_shape
    if table.signature.is_tensor:
        return nested(Number, len(shape))
    fields = [str | None if column.labels else Number for column in table.signature.columns]
    row: Any = tuple[tuple(fields)]  # type: ignore[misc]
    return row | _by_name("Record", table, fields) if _nameable(table) else row


def body_type(table: Table) -> Any:
    """Return the type of a whole body."""
    row = row_type(table)
    lists = [list[str | None] if column.labels else list[Number] for column in table.signature.columns]
    columns = _by_name("Columns", table, lists) if _nameable(table) else Any
    rows = nested(row, 1)
    fields = [("instances", rows | UnsetType, UNSET), ("columns", columns | UnsetType, UNSET)]
    return rows | msgspec.defstruct("Body", fields, forbid_unknown_fields=True)


def nested(leaf: Any, depth: int) -> Any:
    """Return the type of lists of a depth."""
    return reduce(lambda inner, _: list[inner], range(depth), leaf)  # type: ignore[valid-type]


def _nameable(table: Table) -> bool:
    """Return whether msgspec can name the columns; else records go the careful way, and a tensor has no columns."""
    return bool(table.names) and not _UNNAMEABLE.search("".join(table.names))


def _by_name(name: str, table: Table, types: list[Any]) -> type[msgspec.Struct]:
    # A column's name need not be a Python identifier, and may be a keyword of msgspec's.
    fields = [(f"column_{position}", kind) for position, kind in enumerate(types)]
    rename = {f"column_{position}": column for position, column in enumerate(table.names)}
    return msgspec.defstruct(name, fields, rename=rename, forbid_unknown_fields=True)
