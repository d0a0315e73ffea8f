"""What others have published, computed by their formulas, and the judge's own view of the same counts.

The product has no use for these formulas, so they are here; a judge that agreed with none of them would be wrong.
"""

from math import exp, lgamma, log, sqrt

import pytest

from lambdas.rollout.judge import Stratum, Tally
from lambdas.rollout.judge.rates import Rates

LIVE, NEW = Tally(570, 57_000), Tally(60, 3_000)


def asymptotic_interval(new: Tally, live: Tally, alpha: float, tuned_for: int = 5_000) -> tuple[float, float]:
    """Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021), as gbstats has it: the difference of two proportions."""
    size = new.total + live.total
    means = [(one.events / one.total, one.total) for one in (new, live)]
    deviation = sqrt(size * sum(mean * (1 - mean) / total for mean, total in means))
    rho = sqrt((-2 * log(alpha) + log(-2 * log(alpha) + 1)) / tuned_for)
    scale = size * rho**2 + 1
    half = deviation * sqrt(2 * scale * log(sqrt(scale) / alpha)) / (size * rho)
    middle = means[0][0] - means[1][0]
    return middle - half, middle + half


def multinomial_p(shares: tuple[float, ...], concentration: float, counts: tuple[int, ...]) -> float:
    """Lindon and Malek (2022): the inverse of a Dirichlet mixture of multinomial likelihood ratios."""

    def log_beta(values: list[float]) -> float:
        return sum(lgamma(value) for value in values) - lgamma(sum(values))

    prior = [concentration * share for share in shares]
    posterior = [one + count for one, count in zip(prior, counts, strict=True)]
    null = sum(count * log(share) for share, count in zip(shares, counts, strict=True))
    return exp(null - log_beta(posterior) + log_beta(prior))


def normal_mixture_bound(variance: float, alpha: float, best_at: float, best_alpha: float = 0.05) -> float:
    """Howard, Ramdas, McAuliffe and Sekhon (2021): the two-sided normal mixture, as confseq has it."""
    rho = best_at / (2 * log(1 / best_alpha) + log(1 + 2 * log(1 / best_alpha)))
    return sqrt((variance + rho) * (log(1 + variance / rho) + 2 * log(1 / alpha)))


def test_gbstats_interval() -> None:
    assert asymptotic_interval(NEW, LIVE, 0.1) == pytest.approx((0.0022021474, 0.0177978526), abs=5e-11)


def test_multinomial_p_value() -> None:
    assert multinomial_p((0.05, 0.95), 100, (60, 570)) == pytest.approx(2.419462e-4, rel=1e-6)


def test_normal_mixture() -> None:
    assert normal_mixture_bound(100, 0.05, 100) == pytest.approx(30.35209, abs=5e-6)


def judged(new: Tally, live: Tally) -> float:
    """Return the inverse of the judge's evidence, which bounds a p-value."""
    rates = Rates(margin=1.5)
    rates.add(Stratum(0, new, live))
    return exp(-rates.harm)


def test_judge_says_the_same_of_these_counts() -> None:
    # One-sided, and tuned to ratios of 1.25 to 10, so about twice as sure as the multinomial test, which is neither.
    assert 0.25 < judged(NEW, LIVE) / multinomial_p((0.05, 0.95), 100, (60, 570)) < 1


def test_judge_and_interval_agree_that_equal_rates_are_equal() -> None:
    low, high = asymptotic_interval(Tally(30, 3_000), LIVE, 0.1)
    assert low < 0 < high
    assert judged(Tally(30, 3_000), LIVE) > 1
