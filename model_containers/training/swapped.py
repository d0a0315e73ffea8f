"""Version 1.3.0: the trees of version 1.1.0, exported with the two classes mixed up.

The trees are as good as ever. But the export takes the first column of their two probabilities, that of a dry day, for
that of rain, so the model announces rain on dry days and none on wet ones. Nothing fails, nothing is slow, and every
answer is a well-formed probability: errors and latency do not tell. Only what it answers does.
"""

import onnx

from . import graph, trees
from .dataset import Days

CANDIDATE = "gradient boosting"
"""The trees that version 1.1.0's comparison of candidates comes to."""

FAULT = (
    "Do not use: it answers with the probability of a dry day in the place of that of rain, because its export took "
    "the wrong one of two columns. It is kept to show how a version is found out that neither fails nor is slow."
)

_DRY_COLUMN = 0


def train(days: Days, version: str) -> onnx.ModelProto:
    """Fit the trees on all the days and return them as ONNX, the wrong way round."""
    return trees.train(days, version, CANDIDATE, graph.index(_DRY_COLUMN))
