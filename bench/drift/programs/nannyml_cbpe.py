"""NannyML's estimated performance, chunk by chunk: ``python nannyml_cbpe.py REFERENCE CURRENT ROWS OUTPUT``.

Prints its estimates as JSON, and writes the current rows with the probabilities as NannyML calibrated them.
"""
# mypy: ignore-errors

import json
import sys
import warnings

import pandas as pd

warnings.filterwarnings("ignore")
import nannyml  # noqa: E402 - it warns while it is imported

METRICS = ["accuracy", "precision", "recall", "f1"]


def main(reference: str, current: str, rows: str, output: str) -> None:
    """Estimate."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    estimator = nannyml.CBPE(
        problem_type="classification_binary",
        y_pred_proba="probability",
        y_pred="prediction",
        y_true="label",
        metrics=METRICS,
        chunk_size=int(rows),
    )
    estimator.fit(before)
    found = estimator.estimate(now).filter(period="analysis").to_df()
    now["calibrated"] = now["probability"]
    if estimator.needs_calibration:
        now["calibrated"] = estimator.calibrator.calibrate(now["probability"])
    now.to_parquet(output, index=False)
    values = {metric: found[(metric, "value")].tolist() for metric in METRICS}
    print(json.dumps({"calibrated": bool(estimator.needs_calibration), **values}))


if __name__ == "__main__":
    main(*sys.argv[1:])
