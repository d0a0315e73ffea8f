"""Whether probabilities are what they say: of the days with 70 %, it should rain on 70 %."""

from math import pi, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lambdas.monitoring.statistics.normal import wilson

BINS = 10
LIMIT = 0.1
"""By how much the expected calibration error may be above what chance gives a model that is perfectly calibrated."""


def calibration(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Return the expected calibration error, its limit, and the reliability table.

    The error is the mean over ten bins of nearly equal numbers of rows of how far the mean probability is from the
    share of label 1 (Nguyen and O'Connor, *Posterior calibration and exploratory analysis for natural language
    processing models*, 2015: equal mass rather than equal width, where most bins would be nearly empty). On few rows
    even a perfect model has an error: in a bin of n rows about ``sqrt(2 / pi * p (1 - p) / n)``, the mean of a
    half-normal. That is ``by_chance``; what is judged is the error beyond it.
    """
    order = np.argsort(probabilities, kind="stable")
    bins = [part for part in np.array_split(order, BINS) if len(part)]
    table = [_bin(probabilities[part], labels[part]) for part in bins]
    rows = len(labels)
    error = sum(each["rows"] * abs(each["mean_probability"] - each["share_positive"]) for each in table) / rows
    by_chance = sum(_by_chance(each["rows"], each["mean_probability"]) for each in table) / rows
    return {
        "error": error,
        "by_chance": by_chance,
        "limit": LIMIT,
        "passed": bool(error - by_chance <= LIMIT),
        "bins": table,
    }


def _bin(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
    positive, rows = int(labels.sum()), len(labels)
    low, high = wilson(positive, rows)
    return {
        "rows": rows,
        "least_probability": float(probabilities.min()),
        "greatest_probability": float(probabilities.max()),
        "mean_probability": float(probabilities.mean()),
        "share_positive": positive / rows,
        "share_positive_low": low,
        "share_positive_high": high,
    }


def _by_chance(rows: int, probability: float) -> float:
    return rows * sqrt(2 / pi * probability * (1 - probability) / rows)
