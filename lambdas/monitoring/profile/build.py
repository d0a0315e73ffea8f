"""Builds a baseline from the rows that a model was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import nsmallest

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.classes import level_text
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.levels import counted_levels
from lambdas.monitoring.profile.measured import Labelled, calibrated, labelled_rows, measured
from lambdas.monitoring.profile.quality import OutputRoles
from lambdas.monitoring.profile.reading import Cell
from lambdas.monitoring.profile.references import CategoryReference, NumberReference, Reference
from lambdas.monitoring.profile.sample import Sample, place_of, row_key
from lambdas.monitoring.profile.tallies import NumberTally


def build(
    schema: Schema,
    rows_by_column: Mapping[str, Sequence[Cell]],
    outputs: Mapping[str, Sequence[Cell]],
    labels: Sequence[Cell | bool] | None,
    roles: OutputRoles,
    model_version: str,
    created_at: str,
    seed: int = 0,
) -> Baseline:
    """Count rows in memory.

    Parameters
    ----------
    schema
        The model's input columns, in its order.
    rows_by_column
        Values of each column, in the order of time; None is missing.
    outputs
        The model's outputs for the same rows: text makes an output a category, else it is a number.
    labels
        What came true for the same rows, None where nobody knows; None without any.
    roles
        Which output is the probability, which the prediction.
    model_version
        Version of the model.
    created_at
        ISO 8601 UTC.
    seed
        Chooses the sample.

    Raises
    ------
    ProfileError
        If a column is missing, columns are not equally long, or hold what their kind does not allow.
    """
    rows = _length(schema, rows_by_column, outputs, labels)
    kinds = [_output(name, values) for name, values in outputs.items()]
    columns = {c.name: _reference(c, rows_by_column[c.name]) for c in schema.columns}
    labelled = labelled_rows(outputs, labels, roles) if labels is not None else Labelled()
    sample = _sample(columns, rows_by_column, rows, seed)
    return Baseline(
        model_version=model_version,
        created_at=created_at,
        rows=rows,
        columns=columns,
        outputs={c.name: _reference(c, outputs[c.name]) for c in kinds},
        output_roles=roles,
        quality=measured(labelled),
        calibration=calibrated(labelled),
        confidence=_confidence(outputs.get(roles.probability or "")),
        sample=sample.rows,
        sample_keys=sample.keys,
    )


def number(value: Cell | bool, where: str) -> float | None:
    """Return a number as a float, missing as None; raises `ProfileError` for text."""
    if isinstance(value, str):
        raise ProfileError(
            where, value, "a number is expected; make it a category in the schema, or convert its values"
        )
    return None if value is None else float(value)


def _length(
    schema: Schema,
    columns: Mapping[str, Sequence[Cell]],
    outputs: Mapping[str, Sequence[Cell]],
    labels: Sequence[object] | None,
) -> int:
    for name in schema.names:
        if name not in columns:
            raise ProfileError("rows", sorted(columns), f"column {name} of the schema is missing")
    lengths = {f"column {name}": len(columns[name]) for name in schema.names}
    lengths |= {f"output {name}": len(values) for name, values in outputs.items()}
    if labels is not None:
        lengths["labels"] = len(labels)
    if len(set(lengths.values())) > 1:
        raise ProfileError("rows", lengths, "columns, outputs and labels must be equally long")
    return next(iter(lengths.values()), 0)


def _output(name: str, values: Sequence[Cell]) -> Column:
    return Column(name, "category" if any(isinstance(value, str) for value in values) else "number")


def _reference(column: Column, values: Sequence[Cell]) -> Reference:
    if column.is_number:
        return _numbers([number(value, f"column {column.name}") for value in values])
    tally = counted_levels(map(level_text, values))
    return CategoryReference(tally.known, tally)


def _numbers(values: Sequence[float | None]) -> NumberReference:
    bins = Bins.of([value for value in values if value is not None])
    tally = NumberTally(bins)
    tally.add_many(values)
    return NumberReference(bins, tally)


def _confidence(probabilities: Sequence[Cell] | None) -> NumberReference | None:
    if probabilities is None:
        return None
    return _numbers([None if p is None else max(p, 1 - p) for p in (number(p, "probability") for p in probabilities)])


def _sample(columns: Mapping[str, Reference], values: Mapping[str, Sequence[Cell]], rows: int, seed: int) -> Sample:
    place = place_of("baseline", seed)
    sample = Sample()
    for key, row in nsmallest(sample.size, ((row_key(place, row), row) for row in range(rows))):
        sample.offer(key, [_cell(reference, values[name][row]) for name, reference in columns.items()])
    return sample


def _cell(reference: Reference, value: Cell) -> Cell:
    return number(value, "sample") if isinstance(reference, NumberReference) else level_text(value)
