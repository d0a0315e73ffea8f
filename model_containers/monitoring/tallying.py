"""Adds columns to tallies, many values at a time."""

import numpy as np
import polars as pl

from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally, Tally

from .grid import Grid, Numbers


class Tallier:
    """Adds to one tally.

    Parameters
    ----------
    tally
        Is added to.
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._grid = Grid(tally.bins.edges) if isinstance(tally, NumberTally) else None

    def add(self, column: pl.Series) -> None:
        """Count a column of 64-bit floats or of text; null is missing."""
        if isinstance(self._tally, CategoryTally):
            _add_levels(self._tally, column)
        else:
            missing = column.null_count()
            present = column.drop_nulls() if missing else column
            self._add_numbers(present.to_numpy(), missing)

    def _add_numbers(self, values: Numbers, missing: int) -> None:
        if not isinstance(self._tally, NumberTally) or self._grid is None:
            return
        finite = values
        with np.errstate(over="ignore", invalid="ignore"):
            total = values.sum()
            if not np.isfinite(total):  # of NaN, an infinity, or numbers too large to add up
                finite = values[np.isfinite(values)]
                total = finite.sum()
            if not len(finite):
                self._tally.add_counts([0] * len(self._tally.counts), missing=missing, not_finite=len(values))
                return
            mean = float(total / len(finite))
            deviations = finite - mean
            # (BLAS's dot product would start threads that spin.)
            m2 = float(np.square(deviations, out=deviations).sum())
        self._tally.add_counts(
            self._grid.counts(finite).tolist(),
            missing=missing,
            not_finite=len(values) - len(finite),
            mean=mean,
            m2=m2,
            minimum=float(finite.min()),
            maximum=float(finite.max()),
        )


def _add_levels(tally: CategoryTally, column: pl.Series) -> None:
    counted = column.value_counts(name="times")
    tally.add_counts(dict(zip(counted.to_series(0).to_list(), counted["times"].to_list(), strict=True)))
