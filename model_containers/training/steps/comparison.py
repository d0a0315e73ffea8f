"""Whether one model is better than another on the same rows, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, fsum, lgamma, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES, SEED, CONFIDENCE = 2_000, 20, 0.95
SIGNIFICANCE = 0.05
NO_ANSWER = 1.0
"""The squared error of a row that a model gave no answer to: the worst there is."""

_DRAWN_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Answered:
    """A model's probabilities of rows, NaN where it gave none."""

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    threshold: float

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each row's class is right; a row without an answer is not."""
        given = ~np.isnan(self.probabilities)
        with np.errstate(invalid="ignore"):
            right: NDArray[np.bool_] = given & ((self.probabilities >= self.threshold) == (self.labels == 1))
        return right

    @property
    def squared_errors(self) -> NDArray[np.float64]:
        """Squared difference of probability and label; 1 for a row without an answer."""
        errors = (self.probabilities - self.labels) ** 2
        return np.where(np.isnan(errors), NO_ANSWER, errors)

    def where(self, chosen: NDArray[np.bool_]) -> "Answered":
        """Return the chosen rows."""
        return Answered(self.probabilities[chosen], self.labels[chosen], self.threshold)

    def metrics(self) -> dict[str, Any]:
        """Return accuracy, area under the ROC curve (None with one kind of label), Brier score, unanswered rows."""
        given = ~np.isnan(self.probabilities)
        return {
            "accuracy": float(self.right.mean()),
            "auc": auc(self.probabilities[given], self.labels[given]),
            "brier": float(self.squared_errors.mean()),
            "unanswered": int((~given).sum()),
        }


def auc(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float | None:
    """Return the area under the ROC curve: the Mann-Whitney statistic, ties counted half."""
    positive = int(labels.sum())
    negative = len(labels) - positive
    if not positive or not negative:
        return None
    _, place, count = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[labels == 1].sum() - positive * (positive + 1) / 2) / (positive * negative))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided mid-p value of McNemar's test.

    Of the rows that only one of two models gets right, how probable is a division at least as uneven when both are as
    good; the probability of the observed one counts half. Fagerland, Lydersen and Laake, *The McNemar test for binary
    matched-pairs data: mid-p and asymptotic are better than exact conditional* (2013).
    """
    together, fewer = only_first + only_second, min(only_first, only_second)
    terms = [
        exp(lgamma(together + 1) - lgamma(k + 1) - lgamma(together - k + 1) - together * log(2))
        for k in range(fewer + 1)
    ]
    return min(1.0, 2 * fsum(terms) - terms[-1])


def paired(champion: Answered, challenger: Answered) -> dict[str, Any]:
    """Return McNemar's test of two models' answers to the same rows."""
    only_champion = int((champion.right & ~challenger.right).sum())
    only_challenger = int((challenger.right & ~champion.right).sum())
    return {
        "only_champion_right": only_champion,
        "only_challenger_right": only_challenger,
        "p_value": mcnemar(only_champion, only_challenger),
    }


def brier_difference(champion: Answered, challenger: Answered) -> dict[str, Any]:
    """Return the challenger's Brier score less the champion's, with a percentile interval of a paired bootstrap.

    Rows are drawn with replacement, the same for both models; seeded, so that the same rows give the same interval.
    """
    differences = challenger.squared_errors - champion.squared_errors
    draw, rows = np.random.default_rng(SEED), len(differences)
    at_once = max(1, _DRAWN_AT_ONCE // rows)
    means: list[float] = []
    while len(means) < RESAMPLES:
        drawn = draw.integers(0, rows, (min(at_once, RESAMPLES - len(means)), rows))
        means += differences[drawn].mean(axis=1).tolist()
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return {
        "mean": float(differences.mean()),
        "low": float(low),
        "high": float(high),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "seed": SEED,
    }


def verdict(
    champion: Mapping[str, Any],
    challenger: Mapping[str, Any],
    test: Mapping[str, Any],
    brier: Mapping[str, Any],
    least_gain: float,
) -> tuple[bool, list[str]]:
    """Return whether the challenger is better, and why, in words. Ties keep the champion."""
    gain = challenger["accuracy"] - champion["accuracy"]
    enough = gain >= least_gain and gain > 0
    sure = gain > 0 and test["p_value"] < SIGNIFICANCE
    sound = brier["low"] <= 0
    whole = challenger["unanswered"] == 0
    reasons = [
        f"accuracy {challenger['accuracy']:.3f} against the champion's {champion['accuracy']:.3f}: a gain of "
        f"{gain:+.3f}, {'at least' if enough else 'less than'} the {least_gain:.3f} asked for",
        f"only the challenger is right on {test['only_challenger_right']} rows, only the champion on "
        f"{test['only_champion_right']}: McNemar's mid-p is {test['p_value']:.2g}, "
        f"{'evidence' if sure else 'no evidence'} at {SIGNIFICANCE:g} that the challenger is better",
        f"Brier score {brier['mean']:+.4f} ({CONFIDENCE:.0%} interval {brier['low']:+.4f} to {brier['high']:+.4f}): "
        f"its probabilities are {'not worse' if sound else 'worse'}",
    ]
    if not whole:
        reasons.append(f"the challenger gives no answer to {challenger['unanswered']} rows")
    return enough and sure and sound and whole, reasons
