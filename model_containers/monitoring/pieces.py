"""Pieces of a block of bytes, which most often need not be cut out to be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Pieces:
    """Some bytes of a block, where each piece begins and ends.

    Parameters
    ----------
    block
        Has all of them.
    starts, ends
        Places in the block.
    """

    block: bytes
    starts: Places
    ends: Places

    @classmethod
    def of(cls, texts: list[bytes]) -> "Pieces":
        """Return texts as pieces of one block."""
        sizes = np.asarray([len(text) for text in texts], np.int64)
        ends = np.cumsum(sizes)
        return cls(b"".join(texts), ends - sizes, ends)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def sizes(self) -> Places:
        """How many bytes each has."""
        return self.ends - self.starts

    def only(self, chosen: Places) -> "Pieces":
        """Return some of them."""
        return Pieces(self.block, self.starts[chosen], self.ends[chosen])

    def cut(self) -> list[bytes]:
        """Return each for itself."""
        block = self.block
        return [block[start:end] for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)]

    def column(self) -> pl.Series:
        """Return each for itself, as a column."""
        return pl.Series(self.cut(), dtype=pl.Binary)


def windows(block: bytes | NDArray[np.uint8], size: int) -> np.ndarray[Any, Any]:
    """Return all pieces of a size, one from each byte on, without copying them."""
    return np.ndarray((len(block) - size + 1,), f"V{size}", block, strides=(1,))


def runs(values: Places) -> Iterator[tuple[int, int]]:
    """Yield from where to where values are equal that lie side by side."""
    changes = np.flatnonzero(values[1:] != values[:-1]) + 1
    yield from pairwise([0, *changes.tolist(), len(values)])
