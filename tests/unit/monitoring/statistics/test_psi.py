from math import log

import numpy as np
import pytest

from lambdas.monitoring.statistics import psi
from lambdas.monitoring.statistics.errors import IncomparableError
from lambdas.monitoring.statistics.psi import null_mean

# Of Deequ's own test of its index, and what it expects.
EXPECTED = (428, 425, 414, 427, 440, 447, 380, 386, 444, 386)
ACTUAL = (426, 437, 429, 391, 469, 433, 360, 443, 371, 418)
DEEQU = 0.007406694184014186


def test_without_empty_bins_it_is_what_the_textbook_says() -> None:
    assert psi(EXPECTED, ACTUAL).observed == pytest.approx(DEEQU, rel=1e-12)


def test_its_mean_without_change_is_subtracted() -> None:
    found = psi(EXPECTED, ACTUAL)
    assert found.null_mean == pytest.approx(9 * (1 / sum(ACTUAL) + 1 / sum(EXPECTED)), rel=1e-15)
    assert found.debiased == pytest.approx(DEEQU - found.null_mean, rel=1e-12)


@pytest.mark.parametrize(("bins", "n", "m"), [(10, 1_000, 5_000), (5, 500, 500), (20, 5_000, 100_000)])
def test_where_nothing_changes_its_mean_is_the_published_one(bins: int, n: int, m: int) -> None:
    draw = np.random.default_rng(4)
    shares = [1 / bins] * bins
    found = [psi(draw.multinomial(m, shares), draw.multinomial(n, shares)) for _ in range(3_000)]
    mean = np.mean([each.observed for each in found])
    assert mean == pytest.approx((bins - 1) * (1 / n + 1 / m), rel=0.04)
    assert null_mean(bins, n, m) == (bins - 1) * (1 / n + 1 / m)
    assert np.mean([each.debiased for each in found]) == pytest.approx(0, abs=0.04 * null_mean(bins, n, m))


def test_where_nothing_changes_p_values_are_even() -> None:
    draw = np.random.default_rng(5)
    shares = [0.1] * 10
    found = [psi(draw.multinomial(20_000, shares), draw.multinomial(800, shares)).p_value for _ in range(3_000)]
    for level in (0.01, 0.05, 0.25, 0.5):
        assert np.mean(np.asarray(found) < level) == pytest.approx(level, abs=3.5 * (level / 3_000) ** 0.5)


def test_a_bin_empty_in_one_sample_gets_half_a_row_in_both() -> None:
    p, q = (0.5 / 100.5, 100 / 100.5), (50.5 / 100.5, 50 / 100.5)
    by_hand = sum((new - old) * log(new / old) for new, old in zip(p, q, strict=True))
    assert psi((50, 50), (0, 100)).observed == pytest.approx(by_hand, rel=1e-12)


def test_what_the_reference_never_saw_is_a_finite_and_large_change() -> None:
    found = psi((100_000, 0), (500, 500))
    assert 5 < found.observed < 10
    assert found.p_value < 1e-100


def test_a_bin_empty_in_both_is_none() -> None:
    with_empty, without = psi((60, 0, 40), (50, 0, 50)), psi((60, 40), (50, 50))
    assert with_empty == without
    assert with_empty.bins == 2


def test_a_single_bin_tells_nothing() -> None:
    found = psi((100,), (7,))
    assert (found.observed, found.null_mean, found.p_value) == (0, 0, 1)


@pytest.mark.parametrize(
    ("reference", "current", "text"),
    [
        ((1, 2), (1, 2, 3), "2 bins, the window 3"),
        ((0, 0), (1, 2), "reference has no rows"),
        ((1, 2), (0, 0), "window has no rows"),
        ((1, -2), (1, 1), "negative count: -2"),
    ],
)
def test_what_cannot_be_compared_is_refused(reference: tuple[int, ...], current: tuple[int, ...], text: str) -> None:
    with pytest.raises(IncomparableError, match=text):
        psi(reference, current)
