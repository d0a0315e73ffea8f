"""A linear discriminant on the columns and products that differ most between two samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import sqrt
from operator import mul

from lambdas.monitoring.domain_classifier.variables import Variable

# Products are tried of so many variables at most: their number grows with the square.
MOST_IN_PRODUCTS = 48

# Features of the discriminant: more of them fit chance.
MOST_FEATURES = 12

# Weight of the identity in the covariance, against features that nearly repeat each other.
RIDGE = 0.05


@dataclass(frozen=True)
class Feature:
    """A variable, or the product of two, and how far its means are apart in standard errors."""

    parts: tuple[Variable, ...]
    apart: float

    @property
    def name(self) -> str:
        """Its name for people."""
        return " × ".join(part.name for part in self.parts)

    def values(self) -> list[float]:
        """Return its value for each row."""
        first, *others = (part.values for part in self.parts)
        return list(map(mul, first, others[0])) if others else first


def chosen(variables: Sequence[Variable], old: Sequence[int], new: Sequence[int]) -> list[Feature]:
    """Return the features whose means differ most between two groups of rows, the most different first."""
    found = list(_candidates(variables, old, new))
    return sorted(found, key=lambda feature: -abs(feature.apart))[:MOST_FEATURES]


def _candidates(variables: Sequence[Variable], old: Sequence[int], new: Sequence[int]) -> Iterator[Feature]:
    held = [([v.values[i] for i in old], [v.values[i] for i in new]) for v in variables]
    for variable, (before, after) in zip(variables, held, strict=True):
        yield Feature((variable,), _apart(before, after))
    # Evenly spread over the columns, so that a wide table is not judged by its first columns.
    step = max(1, -(-len(variables) // MOST_IN_PRODUCTS))
    for i, j in combinations(range(0, len(variables), step), 2):
        before, after = (list(map(mul, held[i][side], held[j][side])) for side in (0, 1))
        yield Feature((variables[i], variables[j]), _apart(before, after))


def _apart(before: Sequence[float], after: Sequence[float]) -> float:
    """Return Welch's t."""
    m, n = len(before), len(after)
    old, new = sum(before) / m, sum(after) / n
    noise = (sum(map(mul, before, before)) / m - old * old) / m + (sum(map(mul, after, after)) / n - new * new) / n
    return (new - old) / sqrt(noise) if noise > 1e-12 else 0.0


def weights(features: Sequence[Feature], old: Sequence[int], new: Sequence[int]) -> list[float]:
    """Return Fisher's weights: the inverse of the pooled covariance times the difference of the means."""
    values = [feature.values() for feature in features]
    differences, centred = [], []
    for column in values:
        before, after = [column[i] for i in old], [column[i] for i in new]
        a, b = sum(before) / len(before), sum(after) / len(after)
        differences.append(b - a)
        centred.append([value - a for value in before] + [value - b for value in after])
    rows = len(old) + len(new)
    covariance = [[sum(map(mul, a, b)) / rows for b in centred] for a in centred]
    for place, line in enumerate(covariance):
        line[place] = line[place] * (1 + RIDGE) + 1e-9
    return _solved(covariance, differences)


def _solved(matrix: list[list[float]], right: Sequence[float]) -> list[float]:
    """Solve a positive definite system by Gaussian elimination, which needs no pivoting for such."""
    lines = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for place, pivot in enumerate(lines):
        for line in lines[place + 1 :]:
            factor = line[place] / pivot[place]
            line[place:] = [a - factor * b for a, b in zip(line[place:], pivot[place:], strict=True)]
    found = [0.0] * len(lines)
    for place in reversed(range(len(lines))):
        line = lines[place]
        known = sum(map(mul, line[place + 1 : -1], found[place + 1 :]))
        found[place] = (line[-1] - known) / line[place]
    return found


def auc(old: Sequence[float], new: Sequence[float]) -> tuple[float, float]:
    """Return the area under the ROC curve of two groups of scores, and its standard error if they are alike.

    The area is the chance that a new score exceeds an old one, ties counted half: the statistic of Wilcoxon, Mann and
    Whitney over m n. The standard error is corrected for ties.
    """
    m, n = len(old), len(new)
    ordered = sorted([(score, 0) for score in old] + [(score, 1) for score in new])
    starts = [0, *(i for i in range(1, m + n) if ordered[i][0] != ordered[i - 1][0]), m + n]
    rank_sum = ties = 0.0
    for first, last in pairwise(starts):
        rank_sum += (first + last + 1) / 2 * sum(side for _, side in ordered[first:last])
        ties += (last - first) ** 3 - (last - first)
    area = (rank_sum - n * (n + 1) / 2) / (m * n)
    variance = (m + n + 1 - ties / ((m + n) * (m + n - 1))) / (12 * m * n)
    return area, sqrt(max(variance, 0.0))
