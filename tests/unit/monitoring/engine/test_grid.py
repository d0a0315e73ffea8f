"""Binning by a grid says what bisection says."""

from bisect import bisect_right
from math import inf, nextafter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdas.monitoring.profile.bins import Bins
from model_containers.monitoring.grid import Grid

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def counted(edges: list[float], values: list[float]) -> list[int]:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_right(edges, value)] += 1
    return counts


@settings(max_examples=300, deadline=None)
@given(edges=st.lists(FINITE, max_size=120, unique=True).map(sorted), values=st.lists(FINITE, max_size=60))
def test_any_edges(edges: list[float], values: list[float]) -> None:
    near = [nextafter(edge, towards) for edge in edges for towards in (-inf, inf)]
    everything = [each for each in (*values, *edges, *near) if np.isfinite(each)]
    assert Grid(edges).counts(np.array(everything)).tolist() == counted(edges, everything)


@pytest.mark.parametrize("kind", ["normal", "lognormal", "cauchy", "counts", "spike", "float32", "tiny", "large"])
def test_edges_of_real_distributions(kind: str) -> None:
    random = np.random.default_rng(2)
    values = {
        "normal": lambda: random.normal(size=40_000),
        "lognormal": lambda: random.lognormal(size=40_000),
        "cauchy": lambda: random.standard_cauchy(size=40_000),
        "counts": lambda: random.poisson(6, size=40_000).astype(float),
        "spike": lambda: np.where(random.random(40_000) < 0.7, 0.0, random.gamma(1.0, size=40_000)),
        "float32": lambda: random.normal(size=40_000).astype(np.float32).astype(float),
        "tiny": lambda: random.normal(size=40_000) * 1e-310,
        "large": lambda: random.normal(size=40_000) * 1e307,
    }[kind]()
    edges = list(Bins.of(values[:10_000].tolist()).edges)
    assert Grid(edges).counts(values).tolist() == counted(edges, values.tolist())
