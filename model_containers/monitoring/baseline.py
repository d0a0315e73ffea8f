"""Builds a baseline from a large table: the same as `lambdas.monitoring.profile.build` from its rows."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.columns import Schema
from lambdas.monitoring.profile.levels import grouped_levels
from lambdas.monitoring.profile.measured import Labelled, calibrated, labelled_rows, measured
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.references import CategoryReference, NumberReference, Reference
from lambdas.monitoring.profile.sample import Sample, place_of
from lambdas.monitoring.profile.tallies import NumberTally

from .errors import TableError
from .sampling import Sampler, row_keys
from .tables import as_numbers, as_texts
from .tallying import Tallier


def build(
    schema: Schema,
    rows: pl.DataFrame,
    outputs: pl.DataFrame | None,
    labels: Sequence[bool | float | str | None] | None,
    roles: OutputRoles,
    model_version: str,
    created_at: str,
    seed: int = 0,
) -> Baseline:
    """Count rows; see the careful path's function of this name.

    Parameters
    ----------
    rows, outputs
        In the order of time; text makes an output a category, else it is a number.

    Raises
    ------
    TableError
        When a column is missing or holds something else.
    """
    missing = [name for name in schema.names if name not in rows.columns]
    if missing:
        raise TableError(f"the reference has no column {missing[0]}; it has {', '.join(rows.columns)[:200]}")
    answers = pl.DataFrame() if outputs is None else outputs
    told = {column.name: column.to_list() for column in answers.iter_columns()}
    labelled = labelled_rows(told, labels, roles) if labels is not None else Labelled()
    columns = {
        column.name: as_numbers(rows[column.name]) if column.is_number else as_texts(rows[column.name])
        for column in schema.columns
    }
    sample = _sample(pl.DataFrame(list(columns.values())), seed)
    return Baseline(
        model_version=model_version,
        created_at=created_at,
        rows=rows.height,
        columns={name: _reference(column) for name, column in columns.items()},
        outputs={column.name: _output(column) for column in answers.iter_columns()},
        output_roles=roles,
        quality=measured(labelled),
        calibration=calibrated(labelled),
        confidence=_confidence(answers, roles),
        sample=sample.rows,
        sample_keys=sample.keys,
    )


def _output(column: pl.Series) -> Reference:
    return _reference(as_texts(column) if column.dtype == pl.String else as_numbers(column))


def _reference(column: pl.Series) -> Reference:
    if column.dtype == pl.Float64:
        return _numbers(column)
    counted = column.value_counts(name="times")
    counts = dict(zip(counted.to_series(0).to_list(), counted["times"].to_list(), strict=True))
    tally = grouped_levels(counts)
    return CategoryReference(tally.known, tally)


def _numbers(column: pl.Series) -> NumberReference:
    # Sorted already, they cost the pure-Python definition of the bins next to nothing.
    bins = Bins.of(np.sort(column.drop_nulls().to_numpy()).tolist())
    tally = NumberTally(bins)
    Tallier(tally).add(column)
    return NumberReference(bins, tally)


def _confidence(outputs: pl.DataFrame, roles: OutputRoles) -> NumberReference | None:
    if not roles.probability or roles.probability not in outputs.columns:
        return None
    probability = as_numbers(outputs[roles.probability])
    return _numbers(pl.select(pl.max_horizontal(probability, 1.0 - probability)).to_series())


def _sample(rows: pl.DataFrame, seed: int) -> Sample:
    sample = Sample()
    lines = np.arange(rows.height)
    sampler = Sampler(sample)
    sampler.add(row_keys(place_of("baseline", seed), lines, np.zeros_like(lines)), rows)
    sampler.finish()
    return sample
