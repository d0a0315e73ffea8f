"""The columns that a body's rows are read into."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Cell: TypeAlias = float | str | None
"""A number (NaN and infinities among them), the name of a category, or nothing: a value that is missing."""


@dataclass(frozen=True)
class Layout:
    """Names of columns in the model's order, and whether each holds numbers; the others hold categories."""

    names: tuple[str, ...]
    numeric: tuple[bool, ...]
    places: dict[str, int] = field(init=False, repr=False, compare=False)
    all_numeric: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what every body is read by."""
        object.__setattr__(self, "places", {name: place for place, name in enumerate(self.names)})
        object.__setattr__(self, "all_numeric", all(self.numeric))

    @classmethod
    def of(cls, columns: Iterable[tuple[str, str]]) -> "Layout":
        """Return the layout of columns that are given as name and kind, ``number`` or ``category``."""
        given = list(columns)
        return cls(tuple(name for name, _ in given), tuple(kind == "number" for _, kind in given))

    @property
    def width(self) -> int:
        """Return how many columns there are."""
        return len(self.names)


@dataclass(frozen=True, slots=True)
class Table:
    """What a body holds.

    Parameters
    ----------
    rows
        Cells in the layout's order. A column that the body does not have is missing in all of them.
    unknown
        Names in the body that the layout does not have.
    """

    rows: Sequence[Sequence[Cell]]
    unknown: tuple[str, ...] = ()

    def records(self, layout: Layout) -> list[dict[str, Cell]]:
        """Return the rows as mappings from the columns' names."""
        return [dict(zip(layout.names, row, strict=True)) for row in self.rows]
