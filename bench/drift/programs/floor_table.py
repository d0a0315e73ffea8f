"""The least that reading a table costs: Polars reads it and aggregates each column once.

Of numbers the mean, of categories how many different ones: ``python floor_table.py CURRENT``.
"""

import sys

import polars as pl
import polars.selectors as cs


def main(current: str) -> None:
    """Print one of the aggregates."""
    found = pl.scan_parquet(current).select(cs.numeric().mean(), cs.string().n_unique()).collect(engine="streaming")
    print(found.row(0)[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
