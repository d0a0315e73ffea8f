"""NannyML's univariate drift of two Parquet files: ``python nannyml_univariate.py REFERENCE CURRENT``.

With its defaults for both kinds of column, the Jensen-Shannon distance, on one chunk.
"""
# mypy: ignore-errors

import sys
import warnings

import pandas as pd

warnings.filterwarnings("ignore")
import nannyml  # noqa: E402 - it warns while it is imported


def main(reference: str, current: str) -> None:
    """Compute the distances and print how many columns passed NannyML's threshold."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(before.columns),
        continuous_methods=["jensen_shannon"],
        categorical_methods=["jensen_shannon"],
        chunk_size=len(now),
    )
    calculator.fit(before)
    found = calculator.calculate(now).filter(period="analysis").to_df()
    print(int(found.xs("alert", axis=1, level=2).to_numpy().sum()))


if __name__ == "__main__":
    main(*sys.argv[1:])
