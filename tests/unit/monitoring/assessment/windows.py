"""Baselines and windows of made-up traffic, counted by numpy, for tests."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from lambdas.monitoring.assessment import Severity, Summary
from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.calibration import Calibration
from lambdas.monitoring.profile.category_tally import CategoryTally
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.quality import OutputRoles, Quality
from lambdas.monitoring.profile.references import CategoryReference, NumberReference, Reference
from lambdas.monitoring.profile.window import WindowCounts

START = "2026-03-01T14:00:00Z"
END = "2026-03-01T15:00:00Z"
CREATED = "2026-01-01T00:00:00Z"
Columns = Mapping[str, NDArray[np.float64] | Sequence[str]]


def fill(tally: NumberTally | CategoryTally, values: NDArray[np.float64] | Sequence[str]) -> None:
    """Count a column; NaN is missing."""
    if isinstance(tally, CategoryTally):
        tally.add_many(values)
    else:
        known = [None if np.isnan(value) else value for value in np.asarray(values).tolist()]
        tally.add_many(known)


def reference(values: NDArray[np.float64] | Sequence[str], levels: Sequence[str] = ()) -> Reference:
    if levels:
        found = CategoryReference(tuple(levels), CategoryTally(levels))
        fill(found.tally, values)
        return found
    numbers = np.asarray(values, dtype=float)
    bins = Bins.of(numbers[~np.isnan(numbers)].tolist())
    tally = NumberTally(bins)
    fill(tally, numbers)
    return NumberReference(bins, tally)


def rows_of(columns: Columns, most: int = 1_000) -> tuple[tuple[float | str | None, ...], ...]:
    cells = [values if isinstance(values, list) else np.asarray(values).tolist() for values in columns.values()]
    return tuple(tuple(None if cell != cell else cell for cell in row) for row in list(zip(*cells, strict=True))[:most])


def baseline(
    columns: Columns,
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
    outputs: Columns | None = None,
    created_at: str = CREATED,
    quality: Quality | None = None,
    calibration: Calibration | None = None,
) -> Baseline:
    known = {name: reference(values, (levels or {}).get(name, ())) for name, values in columns.items()}
    answers = {name: reference(values) for name, values in (outputs or {}).items()}
    probability = "probability" if "probability" in answers else None
    return Baseline(
        model_version="1.4.0",
        created_at=created_at,
        rows=len(next(iter(columns.values()))),
        columns=known,
        outputs=answers,
        output_roles=OutputRoles(probability, None, 0.5),
        quality=quality,
        calibration=calibration,
        sample=rows_of(columns),
    )


def window(
    of: Baseline, columns: Columns, outputs: Columns | None = None, *, start: str = START, end: str = END
) -> WindowCounts:
    counts = WindowCounts.of(of, "rain-dev", start, end)
    for name, values in columns.items():
        fill(counts.columns[name], values)
    for name, values in (outputs or {}).items():
        fill(counts.outputs[name], values)
    counts.rows = counts.requests = len(next(iter(columns.values())))
    if len(columns) == len(of.columns):
        for key, row in enumerate(rows_of({name: columns[name] for name in of.columns})):
            counts.sample.offer(key, row)
    return counts


def normal(rows: int, columns: int, seed: int, shift: float = 0.0) -> dict[str, NDArray[np.float64]]:
    """Return standard normal columns ``f0``, ``f1``, ...; the first is shifted."""
    values = np.random.default_rng(seed).normal(size=(columns, rows))
    values[0] += shift
    return {f"f{place}": column for place, column in enumerate(values)}


def summary(hour: int, of: Baseline | None = None, **fields: object) -> Summary:
    """Return what is remembered of an hour of the day of `START`."""
    start = f"2026-03-01T{hour:02d}:00:00Z"
    given = {"severity": Severity.NONE, "rows": 1_000, "baseline_id": of.id if of else "", "model_version": "1.4.0"}
    return Summary(window=f"{start[:16]}Z", start=start, **{**given, **fields})  # type: ignore[arg-type]
