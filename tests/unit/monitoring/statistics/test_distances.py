import numpy as np
import pytest
from scipy import special, stats
from scipy.spatial import distance

from lambdas.monitoring.statistics import categorical, jensen_shannon, kolmogorov_smirnov, numerical, robust
from lambdas.monitoring.statistics.kolmogorov_smirnov import survival

# Of Deequ's KLLDistanceTest: samples, alpha, and the distance that it expects.
FIRST = {"a": 207, "b": 20, "c": 25, "d": 14, "e": 25, "g": 13}
SECOND = {"a": 22, "b": 20, "c": 25, "d": 12, "e": 13, "f": 15}


def test_robust_l_infinity_is_deequs() -> None:
    assert categorical(SECOND, FIRST, alpha=0.003) == pytest.approx(0.2726338046550349, abs=1e-14)
    assert categorical(SECOND, FIRST, alpha=0.1) == pytest.approx(0.33774199396969184, abs=1e-14)


def test_deequs_other_vectors() -> None:
    old = {"a": 10, "b": 20, "c": 25, "d": 10, "e": 5}
    alike = {"a": 11, "b": 20, "c": 25, "d": 10, "e": 10}
    other = {"f": 11, "a": 20, "c": 25, "d": 10, "e": 10}
    assert categorical(alike, old) == 0
    assert categorical(other, old) == 0
    # The same without the correction, of which robust() takes away 1.8 sqrt((n + m) / (n m)).
    n, m = 70, 76
    assert robust(0.06015037593984962, n, m) == 0
    assert robust(0.9, n, m) == pytest.approx(0.9 - 1.8 * ((n + m) / (n * m)) ** 0.5)


def test_deequs_numbers_in_bins() -> None:
    # 1, 2, 3, 4 beside 2, 3, 4, 5: the cumulative shares differ by 1/4, which so few rows do not prove.
    assert numerical((0, 1, 1, 1, 1), (1, 1, 1, 1, 0)) == 0
    assert numerical((0, 100_000, 100_000, 100_000, 100_000), (100_000, 100_000, 100_000, 100_000, 0)) == pytest.approx(
        0.25 - 1.8 * (2 / 400_000) ** 0.5
    )


@pytest.mark.parametrize("x", [0.05, 0.3, 0.8, 1.17, 1.19, 1.5, 2.5, 6.0])
def test_kolmogorovs_tail_is_that_of_scipy(x: float) -> None:
    assert survival(x) == pytest.approx(float(special.kolmogorov(x)), rel=1e-9, abs=1e-15)


def test_on_bins_the_distance_is_that_of_the_samples_and_its_p_value_close_to_exact() -> None:
    draw = np.random.default_rng(1)
    old, new = draw.integers(0, 40, 900), draw.integers(3, 43, 300)
    found = kolmogorov_smirnov(np.bincount(old, minlength=43).tolist(), np.bincount(new, minlength=43).tolist())
    exact = stats.ks_2samp(old, new)
    assert found.distance == pytest.approx(float(exact.statistic), abs=1e-12)
    assert found.p_value == pytest.approx(float(exact.pvalue), rel=0.3)


def test_without_change_the_test_is_not_too_keen() -> None:
    draw = np.random.default_rng(2)
    shares = [0.01] * 100
    found = [
        kolmogorov_smirnov(draw.multinomial(20_000, shares), draw.multinomial(500, shares)).p_value < 0.05
        for _ in range(1_000)
    ]
    assert 0.02 < np.mean(found) < 0.065


def test_jensen_shannon_is_scipys() -> None:
    old, new = [10, 20, 0, 70, 5], [3, 0, 8, 90, 1]
    assert jensen_shannon(old, new) == pytest.approx(float(distance.jensenshannon(old, new, base=2)), rel=1e-12)


def test_jensen_shannon_is_0_for_the_same_and_1_for_nothing_in_common() -> None:
    assert jensen_shannon([1, 2, 3], [10, 20, 30]) == 0
    assert jensen_shannon([1, 0], [0, 9]) == 1
