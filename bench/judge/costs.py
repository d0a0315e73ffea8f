"""What a look costs in time, and the judge in the size of the package that runs it."""

import io
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

import lambdas.rollout.judge as package
from bench.judge.product import LIMITS, series
from bench.judge.traffic import Traffic, draw
from lambdas.rollout.judge import judge

_REPEATS = 50


@dataclass(frozen=True)
class Costs:
    """What was measured.

    Parameters
    ----------
    milliseconds
        A look at one metric, 60 periods of which have gone by; the median.
    kilobytes, kilobytes_zipped
        The judge's sources, and what they add to the package, which is a zip file.
    """

    milliseconds: float
    kilobytes: float
    kilobytes_zipped: float


def measure(random: np.random.Generator) -> Costs:
    """Return what the judge costs on this machine."""
    traffic = Traffic(metrics=("errors", "latency"))
    seen = series(draw(traffic, 1, random), 0, traffic)
    times = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        judge(seen, LIMITS)
        times.append(time.perf_counter() - began)
    plain, zipped = _sizes(Path(package.__file__).parent)
    return Costs(1e3 * median(times) / len(traffic.metrics), plain / 1e3, zipped / 1e3)


def _sizes(folder: Path) -> tuple[int, int]:
    sources = sorted(folder.rglob("*.py"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sources:
            archive.write(source, source.relative_to(folder.parent))
    return sum(source.stat().st_size for source in sources), len(packed.getvalue())
