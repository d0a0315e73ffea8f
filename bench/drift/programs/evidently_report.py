"""Evidently's data-drift report of two Parquet files: ``python evidently_report.py REFERENCE CURRENT METHOD``.

METHOD is ``psi`` for numbers and categories alike, or ``default`` for what Evidently chooses by itself.
"""
# mypy: ignore-errors

import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def main(reference: str, current: str, method: str) -> None:
    """Compute the report and print how many columns drifted."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    numbers = [name for name in before if before[name].dtype.kind == "f"]
    definition = DataDefinition(
        numerical_columns=numbers, categorical_columns=[name for name in before if name not in numbers]
    )
    preset = DataDriftPreset() if method == "default" else DataDriftPreset(num_method=method, cat_method=method)
    snapshot = Report([preset]).run(
        Dataset.from_pandas(now, data_definition=definition), Dataset.from_pandas(before, data_definition=definition)
    )
    print(snapshot.dict()["metrics"][0]["value"])


if __name__ == "__main__":
    main(*sys.argv[1:])
