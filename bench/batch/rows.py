"""Rows to answer: days of weather, each a little different, so that no two answers can be taken for one another."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_containers.training.dataset import load

Rows = NDArray[np.float64]
_DECIMALS = 3
_NOISE = 0.5


@dataclass(frozen=True)
class Part:
    """One object: its name and its rows."""

    name: str
    rows: Rows

    @property
    def csv(self) -> bytes:
        """The rows as CSV, without a header: a payload begins anywhere."""
        return "".join(",".join(map(str, row)) + "\n" for row in self.rows.tolist()).encode()


def parts(rows: int, objects: int) -> Iterator[Part]:
    """Yield so many rows in so many objects; the same ones every time."""
    days = load().measured().measurements
    edges = np.linspace(0, rows, objects + 1).astype(int)
    for number, (first, last) in enumerate(itertools.pairwise(edges)):
        noise = np.random.default_rng(number).uniform(-_NOISE, _NOISE, (last - first, days.shape[1]))
        taken = days[np.arange(first, last) % len(days)] + noise
        yield Part(f"part-{number:03d}.csv", np.round(taken, _DECIMALS))
