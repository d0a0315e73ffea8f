"""Rows, baselines and counts that the tests of profiles share."""

import random
from collections.abc import Callable, Sequence

import pytest

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.build import build
from lambdas.monitoring.profile.columns import Column, Schema
from lambdas.monitoring.profile.quality import OutputRoles

SCHEMA = Schema((Column("pressure", "number"), Column("wind", "category"), Column("rain", "number")))


def _baseline(rows: int = 2000, seed: int = 1, labels: bool = True) -> Baseline:
    chance = random.Random(seed)
    columns: dict[str, Sequence[float | str | None]] = {
        "pressure": [chance.gauss(1013, 8) if chance.random() > 0.02 else None for _ in range(rows)],
        "wind": [chance.choice(["north", "north", "south", "west"]) for _ in range(rows)],
        "rain": [0.0 if chance.random() < 0.6 else chance.expovariate(1) for _ in range(rows)],
    }
    p = [chance.random() for _ in range(rows)]
    truth = [chance.random() < value**2 for value in p] if labels else None
    roles = OutputRoles("p", None, 0.5)
    return build(SCHEMA, columns, {"p": p}, truth, roles, "1.0.0", "2026-01-01T00:00:00Z", seed)


@pytest.fixture(scope="session")
def make_baseline() -> Callable[..., Baseline]:
    """Builds a baseline of weather: a number with missing values, a category, a number that is mostly 0."""
    return _baseline


@pytest.fixture(scope="session")
def baseline() -> Baseline:
    """A baseline of 2,000 labelled rows."""
    return _baseline()
