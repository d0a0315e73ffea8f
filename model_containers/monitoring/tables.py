"""Counts a plain table, column by column and in bounded memory: a Parquet or CSV file, or columns that are there."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from polars.exceptions import PolarsError

from lambdas.monitoring.profile.classes import level_text
from lambdas.monitoring.profile.columns import Schema
from lambdas.monitoring.profile.sample import Sample, place_of
from lambdas.monitoring.profile.tallies import NumberTally, Tally
from lambdas.monitoring.profile.window import WindowCounts

from .errors import TableError
from .pieces import Places
from .sampling import Keys, Sampler, least_of, row_keys
from .tallying import Tallier

BATCH_ROWS = 65_536
CELLS_AT_ONCE = 2_000_000
"""Of a Parquet file as many columns are read together as have this many values, if it were one row group."""
MOST_COLUMNS_AT_ONCE = 8
KEYS_AT_ONCE = 1_000_000


def count_table(path: Path, into: WindowCounts, schema: Schema) -> None:
    """Count a file's rows: the columns of the schema, and the outputs of the window's baseline that it has.

    Parameters
    ----------
    path
        ``.parquet``, or ``.csv`` with a header line.
    into
        Is added to.
    schema
        The model's input columns.

    Raises
    ------
    TableError
        When a column is missing or holds something else.
    """
    try:
        rows = _scan(path)
        _count(rows, into, schema, place_of(path.name), _columns_at_once(path, rows))
    except PolarsError as error:
        raise TableError(f"{path.name} cannot be read: {str(error)[:500]}") from error


def count_frame(frame: pl.DataFrame, name: str, into: WindowCounts, schema: Schema) -> None:
    """Count the rows of a frame; `name` seeds the choice of sampled rows."""
    _count(frame.lazy(), into, schema, place_of(name), frame.width)


def _count(rows: pl.LazyFrame, into: WindowCounts, schema: Schema, place: int, at_once: int) -> None:
    given = rows.collect_schema()
    kinds = {column.name: column.is_number for column in schema.columns}
    missing = [name for name in kinds if name not in given]
    if missing:
        raise TableError(f"the table has no column {missing[0]}; it has {', '.join(given.names())[:200]}")
    tallies: Mapping[str, Tally] = into.columns | {k: v for k, v in into.outputs.items() if k in given}
    height = int(rows.select(pl.len()).collect(engine="streaming").item())
    keys, chosen = _chosen(place, height, into.sample)
    names = list(tallies)
    groups = [names[start : start + at_once] for start in range(0, len(names), at_once)]
    sampled = [_count_columns(rows.select(group), tallies, chosen) for group in groups]
    into.requests += height
    into.rows += height
    for name in given.names():
        if name not in tallies:
            into.unknown_columns.add(name, height)
    sampler = Sampler(into.sample)
    sampler.add(keys, pl.concat(sampled, how="horizontal").select(list(kinds)))
    sampler.finish()


def _count_columns(rows: pl.LazyFrame, tallies: Mapping[str, Tally], chosen: Places) -> pl.DataFrame:
    """Count columns; return the chosen rows of them."""
    talliers = {name: Tallier(tallies[name]) for name in rows.collect_schema().names()}
    sampled, before = [], 0
    for batch in rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"):
        frame = batch.select(_plain(column, tallies[column.name]) for column in batch.iter_columns())
        for column in frame.iter_columns():
            talliers[column.name].add(column)
        low, high = np.searchsorted(chosen, (before, before + frame.height))
        sampled.append(frame[chosen[low:high] - before])
        before += frame.height
    return pl.concat(sampled)


def as_numbers(column: pl.Series) -> pl.Series:
    """Return a column as floats."""
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        raise TableError(f"column {column.name} holds {column.dtype}; numbers belong there")
    return column.cast(pl.Float64)


def as_texts(column: pl.Series) -> pl.Series:
    """Return a column as the names of levels; 1 and 1.0 are the same one."""
    if column.dtype.is_float():
        texts = {value: level_text(value) for value in column.unique().drop_nulls().to_list()}
        return column.replace_strict(texts, default=None, return_dtype=pl.String)
    return column.cast(pl.String)


def _plain(column: pl.Series, tally: Tally) -> pl.Series:
    return as_numbers(column) if isinstance(tally, NumberTally) else as_texts(column)


def _chosen(place: int, height: int, sample: Sample) -> tuple[Keys, Places]:
    """Return the least keys of all rows, and which rows have them, in the order of the rows."""
    keys, rows = np.empty(0, np.uint64), np.empty(0, np.int64)
    for start in range(0, height, KEYS_AT_ONCE):
        more = np.arange(start, min(start + KEYS_AT_ONCE, height))
        keys = np.concatenate((keys, row_keys(place, more + 1, np.zeros_like(more))))
        rows = np.concatenate((rows, more))
        least = least_of(keys, sample.size)
        keys, rows = keys[least], rows[least]
    offered = keys <= np.uint64(sample.limit)
    return keys[offered], rows[offered]


def _scan(path: Path) -> pl.LazyFrame:
    if path.suffix == ".parquet":
        return pl.scan_parquet(path)
    if path.suffix == ".csv":
        return pl.scan_csv(path, infer_schema_length=10_000)
    raise TableError(f"{path.name} is neither .parquet nor .csv")


def _columns_at_once(path: Path, rows: pl.LazyFrame) -> int:
    """Return how many columns to read together: of CSV all, since each reading reads all of it."""
    if path.suffix != ".parquet":
        return len(rows.collect_schema())
    height = int(rows.select(pl.len()).collect(engine="streaming").item())
    return max(1, min(MOST_COLUMNS_AT_ONCE, CELLS_AT_ONCE // max(height, 1)))
