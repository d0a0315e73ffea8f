"""Reads fields of parsed JSON, each by the type that it must have."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from lambdas.monitoring.profile.errors import ProfileError

LARGEST = 2**63 - 1
"""Counts fit into 64 bits, so that every engine can hold them."""

Cell = float | str | None
"""A value of a row: a number, a category, or missing."""


class Fields:
    """The fields of a JSON object.

    Parameters
    ----------
    value
        Parsed JSON.
    where
        Path of the object, for messages.

    Raises
    ------
    ProfileError
        By every method, if a field is missing or is not what it is read as.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise ProfileError(where, value, "it must be a JSON object")
        self.value = value
        self.where = where

    def path(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.where}.{name}"

    def any(self, name: str) -> object:
        """Return a field as it is."""
        if name not in self.value:
            raise ProfileError(self.path(name), None, "the field is missing; make the file anew")
        value: object = self.value[name]
        return value

    def has(self, name: str) -> bool:
        """Say whether the field is there and is not null."""
        return self.value.get(name) is not None

    def text(self, name: str) -> str:
        """Return a field that is text."""
        return as_text(self.any(name), self.path(name))

    def optional_text(self, name: str) -> str | None:
        """Return a field that is text, or None where it is null or not there."""
        return self.text(name) if self.has(name) else None

    def integer(self, name: str, least: int = 0) -> int:
        """Return a field that is a whole number of at least `least`."""
        return as_integer(self.any(name), self.path(name), least)

    def number(self, name: str) -> float:
        """Return a field that is a finite number."""
        return as_number(self.any(name), self.path(name))

    def optional_number(self, name: str) -> float | None:
        """Return a field that is a finite number, or None where it is null or not there."""
        return self.number(name) if self.has(name) else None

    def truth(self, name: str) -> bool:
        """Return a field that is true or false."""
        value = self.any(name)
        if not isinstance(value, bool):
            raise ProfileError(self.path(name), value, "it must be true or false")
        return value

    def numbers(self, name: str) -> tuple[float, ...]:
        """Return a field that is a list of finite numbers."""
        return tuple(as_number(item, where) for item, where in self.items(name))

    def integers(self, name: str) -> list[int]:
        """Return a field that is a list of whole numbers that are not negative."""
        return [as_integer(item, where, 0) for item, where in self.items(name)]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a field that is a list of texts."""
        return tuple(as_text(item, where) for item, where in self.items(name))

    def counts(self, name: str) -> dict[str, int]:
        """Return a field that is an object of whole numbers that are not negative."""
        value = self.inner(name)
        return {key: value.integer(key) for key in value.names()}

    def rows(self, name: str) -> list[tuple[Cell, ...]]:
        """Return a field that is a list of lists of numbers, texts and nulls."""
        return [as_row(item, where) for item, where in self.items(name)]

    def inner(self, name: str) -> Fields:
        """Return a field that is an object."""
        return Fields(self.any(name), self.path(name))

    def objects(self, name: str) -> list[Fields]:
        """Return a field that is a list of objects."""
        return [Fields(item, where) for item, where in self.items(name)]

    def names(self) -> list[str]:
        """Return the names of the fields, which JSON makes text."""
        for name in self.value:
            as_text(name, self.where)
        return list(self.value)

    def items(self, name: str) -> Iterator[tuple[object, str]]:
        """Yield the items of a field that is a list, each with its path."""
        value = self.any(name)
        if not isinstance(value, list):
            raise ProfileError(self.path(name), value, "it must be a list")
        for index, item in enumerate(value):
            yield item, f"{self.path(name)}[{index}]"


def as_text(value: object, where: str) -> str:
    """Return text."""
    if not isinstance(value, str):
        raise ProfileError(where, value, "it must be text")
    return value


def as_integer(value: object, where: str, least: int) -> int:
    """Return a whole number between `least` and 2**63 - 1."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise ProfileError(where, value, f"it must be a whole number of at least {least} and below 2**63")
    return value


def as_number(value: object, where: str) -> float:
    """Return a finite number."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = float("inf")
        if isfinite(number):
            return number
    raise ProfileError(where, value, "it must be a finite number")


def as_row(value: object, where: str) -> tuple[Cell, ...]:
    """Return a row of numbers, texts and nulls."""
    if not isinstance(value, list):
        raise ProfileError(where, value, "it must be a list of the row's values")
    return tuple(v if v is None or isinstance(v, str) else as_number(v, f"{where}[{i}]") for i, v in enumerate(value))
