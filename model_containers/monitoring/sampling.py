"""Chooses the rows that a sample keeps, without looking at all others one by one."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lambdas.monitoring.profile.sample import KEY_BITS, Sample

Keys = NDArray[np.uint64]

_ROWS_A_LINE = np.uint64(2**20)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def row_keys(place: int, lines: NDArray[np.int64], rows: NDArray[np.int64]) -> Keys:
    """Return `row_key` of many rows."""
    one = np.uint64(1)
    with np.errstate(over="ignore"):
        mixed = np.uint64(place) + (lines.astype(np.uint64) * _ROWS_A_LINE + rows.astype(np.uint64) + one) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    keys: Keys = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(64 - KEY_BITS)
    return keys


class Sampler:
    """Keeps the rows with the least keys as they are, and offers them to the sample at the end.

    Parameters
    ----------
    sample
        Is offered to.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._limit = sample.limit
        self._keys: Keys = np.empty(0, np.uint64)
        self._rows: pl.DataFrame | None = None

    def add(self, keys: Keys, frame: pl.DataFrame) -> None:
        """Look at rows, with the key of each."""
        chosen = np.flatnonzero(keys <= np.uint64(self._limit))
        chosen = chosen[least_of(keys[chosen], self._sample.size)]
        if not len(chosen):
            return
        rows = frame[chosen]
        kept = np.concatenate((self._keys, keys[chosen]))
        rows = rows if self._rows is None else pl.concat((self._rows, rows))
        least = least_of(kept, self._sample.size)
        self._keys, self._rows = kept[least], rows[least]
        if len(least) >= self._sample.size:
            self._limit = min(self._limit, int(self._keys.max()))

    def finish(self) -> None:
        """Offer what was kept."""
        if self._rows is not None:
            for key, row in zip(self._keys.tolist(), self._rows.iter_rows(), strict=True):
                self._sample.offer(key, row)
        self._keys, self._rows = np.empty(0, np.uint64), None


def least_of(keys: Keys, size: int) -> NDArray[np.int64]:
    """Return where the `size` least keys are, and all that equal the greatest of those."""
    if len(keys) <= size:
        return np.arange(len(keys))
    return np.flatnonzero(keys <= np.partition(keys, size - 1)[size - 1])
