"""Estimated performance beside NannyML's, on the same chunks."""

import json

import numpy as np
import polars as pl

from bench.drift import inputs
from bench.drift.goals import Goal
from bench.drift.measurement import Measurement
from bench.drift.processes import PROGRAMS, run
from bench.drift.venvs import python
from bench.rounds import Tell
from lambdas.monitoring.performance.cbpe import Estimates, estimate
from lambdas.monitoring.profile.calibration import Calibration
from model_containers.monitoring.scoring import calibrated

CHUNKS, ROWS = 20, 5000
TOLERANCE = 1e-4
METRICS = ("accuracy", "precision", "recall", "f1")


def measure(tell: Tell) -> Measurement:
    """Estimate 20 chunks whose inputs move on, both ways."""
    tell("estimated performance")
    reference, current, output = (inputs.FOLDER / f"cbpe-{name}.parquet" for name in ("reference", "current", "output"))
    inputs.FOLDER.mkdir(parents=True, exist_ok=True)
    before = _rows(20_000, 1, 0.0)
    before.write_parquet(reference)
    _rows(CHUNKS * ROWS, 2, 1.0).write_parquet(current)
    said = run([python("nannyml"), PROGRAMS / "nannyml_cbpe.py", reference, current, str(ROWS), output]).said
    theirs = json.loads(said.splitlines()[-1])
    now = pl.read_parquet(output)
    calibration = Calibration.of(before["probability"].to_list(), before["label"].cast(pl.Boolean).to_list())
    own = pl.Series(calibrated(calibration, now["probability"].to_numpy()))
    rows, goals = [], []
    for name, probability in (("NannyML's calibration", now["calibrated"]), ("our calibration", own)):
        worst = _differences(now["prediction"], probability, theirs)
        rows.append([name, *(f"{worst[metric]:.1e}" for metric in METRICS)])
        largest = max(worst.values())
        goals.append(
            Goal(f"CBPE like NannyML's, with {name}", f"within {TOLERANCE:g}", f"{largest:.1e}", largest <= TOLERANCE)
        )
    note = f"NannyML found that the probabilities {'need' if theirs['calibrated'] else 'do not need'} calibration."
    title = f"Estimated performance (CBPE): greatest difference from NannyML over {CHUNKS} chunks of {ROWS:,} rows"
    return Measurement(title, ["probabilities by", *METRICS], rows, goals, [note])


def _rows(rows: int, seed: int, drift: float) -> pl.DataFrame:
    """Return a model that is too sure of itself, on inputs that move further and further."""
    random = np.random.default_rng(seed)
    score = random.normal(size=rows) + np.linspace(0.0, drift, rows)
    probability = 1 / (1 + np.exp(-2.5 * score))
    label = random.random(rows) < 1 / (1 + np.exp(-score))
    return pl.DataFrame(
        {"probability": probability, "prediction": (probability >= 0.5).astype(int), "label": label.astype(int)}
    )


def _differences(prediction: pl.Series, probability: pl.Series, theirs: dict[str, list[float]]) -> dict[str, float]:
    worst = dict.fromkeys(METRICS, 0.0)
    for chunk in range(CHUNKS):
        found = _estimate(prediction.slice(chunk * ROWS, ROWS) == 1, probability.slice(chunk * ROWS, ROWS))
        for metric in METRICS:
            ours = getattr(found, metric)
            assert ours is not None
            worst[metric] = max(worst[metric], abs(ours.value - theirs[metric][chunk]))
    return worst


def _estimate(positive: pl.Series, probability: pl.Series) -> Estimates:
    sums = float(probability.filter(positive).sum()), float(probability.filter(~positive).sum())
    found = estimate(len(positive), int(positive.sum()), *sums)
    assert found is not None
    return found
