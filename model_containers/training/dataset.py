"""The weather of Bellevue, Nebraska: eight measurements a day, and whether it rained. See data/README.md."""

import csv
import gzip
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FEATURES = (
    "temperature",
    "dew_point",
    "sea_level_pressure",
    "visibility",
    "average_wind_speed",
    "max_sustained_wind_speed",
    "maximum_temperature",
    "minimum_temperature",
)
LABEL = "rain"
PATH = Path(__file__).parent / "data" / "bellevue.csv.gz"

DRIFT_START = 12_000
"""From this row on the data set carries drift that its authors put there."""

HELD_OUT = range(8_000, DRIFT_START)
"""Rows that no version is trained on or chosen by: they measure every version, and are replayed as traffic."""

DAYS_A_YEAR = 365.25
"""Row 0 is a first of January and (nearly) no day is missing before the drift, so that a row's season is known."""

# Two days have a pressure of 5,503 mbar: half of NOAA's mark for "not measured" (9999.9) and half of a real reading.
_PRESSURE = FEATURES.index("sea_level_pressure")
_IMPOSSIBLE_PRESSURE = 2_000.0


@dataclass(frozen=True)
class Days:
    """Days of weather.

    Parameters
    ----------
    rows
        Where each day stands in the data set.
    measurements
        One row a day, columns as `FEATURES`.
    rain
        1 for a day with rain, else 0.
    """

    rows: NDArray[np.int64]
    measurements: NDArray[np.float64]
    rain: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def where(self, chosen: NDArray[np.bool_]) -> "Days":
        """Return the chosen days."""
        return Days(self.rows[chosen], self.measurements[chosen], self.rain[chosen])

    def between(self, rows: range) -> "Days":
        """Return the days of a range of rows."""
        return self.where((self.rows >= rows.start) & (self.rows < rows.stop))

    def measured(self) -> "Days":
        """Return the days whose pressure was measured: two were not."""
        return self.where(self.measurements[:, _PRESSURE] < _IMPOSSIBLE_PRESSURE)

    def day_of_year(self) -> NDArray[np.float64]:
        """Return how far into its year each day is, in days."""
        return np.mod(self.rows, DAYS_A_YEAR)


@cache
def load() -> Days:
    """Return the whole data set."""
    with gzip.open(PATH, "rt", encoding="ascii", newline="") as file:
        header, *lines = list(csv.reader(file))
    if header != [*FEATURES, LABEL]:
        raise ValueError(f"{PATH} has columns {header}; expected are {[*FEATURES, LABEL]}")
    table = np.array(lines, dtype=np.float64)
    return Days(np.arange(len(table)), table[:, :-1], table[:, -1].astype(np.int64))
