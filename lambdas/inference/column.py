"""One column of a model's input: what the serving container lets through of it, and how that reads in a schema.

The container computes in 32-bit floats, so each bound is widened to one: 0.1 is within a maximum of 0.1 however it was
written.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import copysign, floor, inf
from struct import pack, unpack
from typing import Any

WHOLE = "int64"
DTYPES = ("float32", WHOLE)
LARGEST = 3.4028234663852886e38
"""The largest 32-bit float."""

SHOWN_CATEGORIES = 5
_SHOWN = 40
_KEYS = frozenset({"name", "dtype", "minimum", "maximum", "allow_missing", "categories"})

Value = float | str | None


@dataclass(frozen=True)
class Column:
    """A column.

    Parameters
    ----------
    name
        As records and errors name it.
    dtype
        One of `DTYPES`.
    minimum, maximum
        Bounds; None does not bind.
    allow_missing
        Whether null is taken.
    numbers
        The only numbers that are taken; empty for all.
    labels
        The only strings that are taken; empty where numbers are.
    """

    name: str
    dtype: str
    minimum: float | None = None
    maximum: float | None = None
    allow_missing: bool = False
    numbers: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Column":
        """Read a column of `signature.json`.

        Raises
        ------
        ValueError, KeyError, TypeError
            When it is not what this front door knows how to hold input against.
        """
        unknown = sorted(fields.keys() - _KEYS)
        if unknown or fields["dtype"] not in DTYPES:
            what = unknown[0] if unknown else f"dtype {fields['dtype']!r}"
            raise ValueError(f"column {fields['name']!r} has {what}, which is not known")
        categories = tuple(fields.get("categories") or ())
        labels = tuple(each for each in categories if isinstance(each, str))
        numbers = () if labels else tuple(map(float, categories))
        return cls(
            name=fields["name"],
            dtype=fields["dtype"],
            minimum=fields.get("minimum"),
            maximum=fields.get("maximum"),
            allow_missing=bool(fields.get("allow_missing", False)),
            numbers=numbers,
            labels=labels,
        )

    @cached_property
    def least(self) -> float:
        """The least number that is taken."""
        bound = -LARGEST if self.minimum is None else max(self.minimum, -LARGEST)
        return min(float(bound), single(bound))

    @cached_property
    def most(self) -> float:
        """The greatest number that is taken."""
        bound = LARGEST if self.maximum is None else min(self.maximum, LARGEST)
        return max(float(bound), single(bound))

    def read(self, given: Any) -> Value:
        """Return a JSON value as this column's kind of value.

        Raises
        ------
        TypeError
            When it is of another kind, such as a string where a number belongs, or a label that is not known.
        """
        kind = type(given)  # by identity: to Python, true is an int
        if given is None:
            return None
        if self.labels:
            if kind is str and given in self._known:
                return str(given)
        elif kind is float:
            return float(given)
        elif kind is int:
            return _as_float(given)
        raise TypeError(self.name)

    def takes(self, value: Value) -> bool:
        """Return whether the model may see a value that `read` has returned."""
        if value is None:
            return self.allow_missing
        if isinstance(value, str):
            return True
        if not self.least <= value <= self.most or (self.dtype == WHOLE and floor(value) < value):
            return False
        return not self.numbers or value in self._allowed

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.labels)

    @cached_property
    def _allowed(self) -> frozenset[float]:
        return frozenset(self.numbers) | frozenset(map(single, self.numbers))

    def kind_refused(self, given: Any) -> str:
        """Return why `read` does not take a value, and what to send."""
        if self.labels:
            return f"{shown(given)} is not one of the categories: {self._categories()}"
        return f"{shown(given)} is not a number; send one, such as 12.5"

    def refused(self, value: Value) -> str:
        """Return why `takes` says no to a value, and the way out."""
        if value is None or isinstance(value, str):
            return f"the value is missing; send {'a string' if self.labels else 'a number'}"
        if self.minimum is not None and value < self.minimum:
            return f"{value:g} is below the least value allowed, {self.minimum:g}; check its unit"
        if self.maximum is not None and value > self.maximum:
            return f"{value:g} is above the greatest value allowed, {self.maximum:g}; check its unit"
        if abs(value) > LARGEST:
            return "the value is beyond what a 32-bit float holds; check its unit"
        if self.numbers and value not in self._allowed:
            return f"{value:g} is not one of the categories: {self._categories()}"
        return f"{value:g} is not a whole number; send one, such as {floor(value)}"

    def _categories(self) -> str:
        known = [f"{each:g}" for each in self.numbers] or [ascii(each[:_SHOWN]) for each in self.labels]
        more = f", ... ({len(known)} in all)" if len(known) > SHOWN_CATEGORIES else ""
        return ", ".join(known[:SHOWN_CATEGORIES]) + more

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of a value, which takes exactly what `read` and `takes` take."""
        values: list[Any] = list(self.labels) or sorted(self._allowed)
        kind = "string" if self.labels else "integer" if self.dtype == WHOLE else "number"
        schema: dict[str, Any] = {"type": [kind, "null"] if self.allow_missing else kind}
        if values:
            schema["enum"] = [*values, None] if self.allow_missing else values
        if not self.labels:
            schema |= {"minimum": self.least, "maximum": self.most}
        return schema


def single(value: float) -> float:
    """Return a number rounded to a 32-bit float; infinite when that holds none so large."""
    try:
        return float(unpack("<f", pack("<f", value))[0])
    except OverflowError:
        return copysign(inf, value)


def shown(value: Any) -> str:
    """Return a value for an error, shortened."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return json.dumps(value[:_SHOWN] if isinstance(value, str) else value)[: _SHOWN * 2]


def _as_float(given: int) -> float:
    try:
        return float(given)
    except OverflowError:
        return inf if given > 0 else -inf
