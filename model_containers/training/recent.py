"""Version 2.0.0: the bootstrap's regression on the last seven years before the weather that is replayed for drift.

It is what a loop of monitoring and retraining starts with: trained on days that are like those which come next, so that
nothing has drifted until something does.
"""

import numpy as np
import onnx
from numpy.typing import NDArray

from . import linear
from .dataset import Days
from .evaluation import probabilities

ROWS = range(8_000, 10_500)
ANSWERED = range(9_000, 10_500)
"""Days by which the version is measured. There are no later ones that it could know of when it is made, so each block
of 500 is answered by a regression that was fitted to the days before that block."""

BLOCK = 500
HOW_ANSWERED = f"every day, in blocks of {BLOCK}, each answered by a fit to the rows from {ROWS.start} before the block"


def answers(days: Days, version: str) -> NDArray[np.float64]:
    """Return the probabilities of rain of the days in `ANSWERED`; `days` are those of `ROWS`."""
    return np.concatenate([_block(days, version, start) for start in range(ANSWERED.start, ANSWERED.stop, BLOCK)])


def _block(days: Days, version: str, start: int) -> NDArray[np.float64]:
    before: onnx.ModelProto = linear.train(days.between(range(ROWS.start, start)), version)
    return probabilities(before, days.between(range(start, start + BLOCK)))
