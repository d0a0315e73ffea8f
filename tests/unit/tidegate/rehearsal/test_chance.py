"""Random counts have the distributions that they are named after."""

from __future__ import annotations

from collections import Counter
from math import comb
from random import Random

import pytest

from tidegate.rehearsal.chance import binomial, taken

DRAWS = 20_000


@pytest.mark.parametrize(("population", "marked", "drawn"), [(20, 6, 5), (20, 15, 5), (20, 6, 16), (20, 3, 3)])
def test_taking_without_putting_back(population: int, marked: int, drawn: int) -> None:
    random = Random(1)
    seen = Counter(taken(random, population, marked, drawn) for _ in range(DRAWS))
    for hits in range(max(0, drawn + marked - population), min(marked, drawn) + 1):
        expected = comb(marked, hits) * comb(population - marked, drawn - hits) / comb(population, drawn)
        assert seen.pop(hits, 0) / DRAWS == pytest.approx(expected, abs=0.015)
    assert not seen


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_binomial(share: float) -> None:
    random = Random(1)
    seen = Counter(binomial(random, 10, share) for _ in range(DRAWS))
    for hits in range(11):
        expected = comb(10, hits) * share**hits * (1 - share) ** (10 - hits)
        assert seen.pop(hits, 0) / DRAWS == pytest.approx(expected, abs=0.015)
    assert not seen


def test_nothing_and_everything() -> None:
    random = Random(1)
    assert taken(random, 100, 0, 50) == 0
    assert taken(random, 100, 7, 100) == 7
    assert binomial(random, 100, 0.0) == 0
    assert binomial(random, 100, 1.0) == 100
