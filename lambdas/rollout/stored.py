"""How items of the tables are read back by code that may be older or newer than what wrote them."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

from lambdas.rollout.errors import PermanentError

Read = TypeVar("Read")


def read_back(
    item: Mapping[str, Any], what: str, schema: int, kind: type[Read], read: Callable[[dict[str, Any]], Read]
) -> Read:
    """Read an item back.

    Parameters
    ----------
    item
        As the table has it.
    what
        What it is, for the messages: ``the item of rain-prod``.
    schema
        The newest that this code reads.
    kind, read
        The dataclass that it stands for, and what makes one of those of its fields that the item has.

    Raises
    ------
    PermanentError
        When the item is of a newer schema, or cannot be read.
    """
    written = item.get("schema", schema)
    if written > schema:
        raise PermanentError(
            f"{what} was written by a newer version of Tidegate (schema {written}; this one reads {schema}): deploy "
            "that version again"
        )
    try:
        return read(known(kind, item))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PermanentError(f"{what} cannot be read: {type(error).__name__}: {error}") from error


def known(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a dataclass that the data have.

    Others were written by a newer version of the code that was taken back; they are left out.
    """
    return {name: data[name] for name in fields_of(kind) if name in data}


@cache
def fields_of(kind: type) -> tuple[str, ...]:
    """Return the fields of a dataclass; none of any other type. Worked out once, for every cycle writes and reads."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
