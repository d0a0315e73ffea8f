"""Periods to judge."""

from collections.abc import Callable

import pytest

from lambdas.rollout.judge import Stratum, Tally

Counts = tuple[int, int, int, int]


@pytest.fixture
def periods() -> Callable[..., tuple[Stratum, ...]]:
    """Return a maker of periods from counts: the new version's bad ones and all, the live one's bad ones and all."""

    def make(*counts: Counts) -> tuple[Stratum, ...]:
        return tuple(Stratum(60.0 * i, Tally(a, b), Tally(c, d)) for i, (a, b, c, d) in enumerate(counts))

    return make
