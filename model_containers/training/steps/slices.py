"""Parts of the held-out rows that models are looked at in by themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .job import StepError
from .tables import Dataset, Rows

FEW_VALUES = 10
"""A column with at most so many different values is sliced by value; another in thirds."""
_THIRDS = ("low", "middle", "high")


@dataclass(frozen=True)
class Slice:
    """Rows whose value of a column is alike."""

    column: str
    level: str
    chosen: NDArray[np.bool_]


def named(text: str, dataset: Dataset) -> list[str]:
    """Return the columns of a comma-separated list.

    Raises
    ------
    StepError
        If one is not a column of the model.
    """
    columns = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in columns if name not in dataset.columns]
    if unknown:
        raise StepError(f"--slices names {unknown[0]!r}, which is no column; there are {', '.join(dataset.columns)}")
    return columns


def sliced(columns: Sequence[str], rows: Rows, dataset: Dataset) -> Iterator[Slice]:
    """Yield the slices of columns; a column with one value has none."""
    for name in columns:
        values = rows.values[:, dataset.columns.index(name)]
        different = np.unique(values)
        if len(different) <= FEW_VALUES:
            if len(different) > 1:
                yield from (Slice(name, f"{value:g}", values == value) for value in different)
            continue
        low, high = np.quantile(values, [1 / 3, 2 / 3])
        thirds = (values < low, (values >= low) & (values < high), values >= high)
        for level, chosen in zip(_THIRDS, thirds, strict=True):
            if chosen.any():
                yield Slice(name, f"{level} (below {low:g})" if level == "low" else _band(level, low, high), chosen)


def _band(level: str, low: float, high: float) -> str:
    return f"{level} ({low:g} to {high:g})" if level == "middle" else f"{level} (from {high:g})"
