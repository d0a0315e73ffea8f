"""Differences between measurements, which say more about rain than the measurements do.

Air that is near its dew point is nearly saturated; a small range between a day's extremes means cloud. They are linear
in the measurements, so that a model makes them itself with one matrix product and requests stay as they are.
"""

import numpy as np
from numpy.typing import NDArray

from .dataset import FEATURES

PAIRS = (
    ("temperature", "dew_point"),
    ("maximum_temperature", "minimum_temperature"),
    ("maximum_temperature", "temperature"),
    ("temperature", "minimum_temperature"),
    ("dew_point", "minimum_temperature"),
    ("max_sustained_wind_speed", "average_wind_speed"),
)


def matrix() -> NDArray[np.float32]:
    """Return the matrix that turns measurements into measurements followed by spreads."""
    columns = np.eye(len(FEATURES), dtype=np.float32)
    at = {name: columns[position] for position, name in enumerate(FEATURES)}
    return np.stack([*columns, *(at[high] - at[low] for high, low in PAIRS)], axis=1)


def widened(measurements: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return measurements and spreads, in the precision in which the exported model computes them."""
    product: NDArray[np.float32] = measurements.astype(np.float32) @ matrix()
    return product
