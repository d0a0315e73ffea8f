"""A model's baseline: counts of the rows that it learnt from, and its quality on rows that it did not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.build import build
from lambdas.monitoring.profile.columns import Column, Kind, Schema
from lambdas.monitoring.profile.quality import OutputRoles

SEED = 20


@dataclass(frozen=True)
class Measured:
    """A model's answers on rows that it did not learn from, in order of time, and what came true."""

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]


def baseline(
    columns: Sequence[str],
    values: NDArray[np.float64],
    measured: Measured,
    roles: OutputRoles,
    version: str,
    created_at: str,
) -> Baseline:
    """Return a model's baseline.

    Its inputs are those that the model learnt from. Its outputs, quality and calibration are of other rows: on rows
    that a model has learnt from it is surer, and more often right, than it will be in use.

    Parameters
    ----------
    columns
        Names of the inputs, in the model's order; all are numbers.
    values
        The rows that the model learnt from.
    measured
        Answers on other rows.
    roles
        Which output is the probability, and which the class.
    version, created_at
        Of the model; ISO 8601 in UTC.
    """
    schema = Schema(tuple(Column(name, Kind.NUMBER) for name in columns))
    inputs = {name: column.tolist() for name, column in zip(columns, values.T, strict=True)}
    learnt = build(schema, inputs, {}, None, OutputRoles(), version, created_at, SEED)
    outputs: dict[str, list[float | str | None]] = {str(roles.probability): measured.probabilities.tolist()}
    if roles.prediction is not None:
        outputs[roles.prediction] = [str(int(p >= roles.threshold)) for p in measured.probabilities]
    answered = build(Schema(()), {}, outputs, measured.labels.tolist(), roles, version, created_at, SEED)
    return replace(
        learnt,
        outputs=answered.outputs,
        output_roles=roles,
        quality=answered.quality,
        calibration=answered.calibration,
        confidence=answered.confidence,
    )
