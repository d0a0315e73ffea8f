"""The statement of input and output that is shipped with each model, and that the serving container enforces."""

from typing import Any

import numpy as np

from . import graph
from .dataset import FEATURES, Days

SCHEMA = 1
ROWS = range(4_000)
"""The days whose ranges bound the input: the same for every version, so that no version refuses what another takes."""

MARGIN = 2.0
"""How far beyond the range of those days input may lie, in widths of that range. This is to catch 9999.9 and mistaken
units, not a heat wave: unusual weather is for the drift monitor to notice, not for the server to refuse."""


def signature(days: Days) -> dict[str, Any]:
    """Return the signature; `days` is the whole data set, its first day the sample that models are warmed up on."""
    known = days.between(ROWS).measured().measurements
    low, high = known.min(axis=0), known.max(axis=0)
    width = high - low
    least, most = np.floor(low - MARGIN * width), np.ceil(high + MARGIN * width)
    return {
        "schema": SCHEMA,
        "tensor": graph.INPUT,
        "columns": [_column(*each) for each in zip(FEATURES, least.tolist(), most.tolist(), strict=True)],
        "outputs": [{"name": name, "tensor": name} for name in (graph.PROBABILITY, graph.RAIN)],
        "sample": days.measurements[:1].tolist(),
    }


def _column(name: str, minimum: float, maximum: float) -> dict[str, Any]:
    return {"name": name, "dtype": "float32", "minimum": minimum, "maximum": maximum, "allow_missing": False}
