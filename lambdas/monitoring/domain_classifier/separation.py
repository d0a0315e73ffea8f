"""The test of whether two samples can be told apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from lambdas.monitoring.domain_classifier.discriminant import auc, chosen, weights
from lambdas.monitoring.domain_classifier.variables import Cell, variables
from lambdas.monitoring.statistics import normal

# Below it in either sample, half of it is too little to learn from and to test on.
LEAST_ROWS = 200

# Features that are named as what gave the difference away.
NAMED = 3

# A feature that chance would not have apart so far even among hundreds.
TELLING = 4.0


@dataclass(frozen=True)
class Separation:
    """How well rows of two samples can be told apart.

    Parameters
    ----------
    auc
        On rows that had no part in training; .5 is not at all, 1 is perfectly.
    p_value
        Chance of so large an AUC if the samples are alike.
    telling
        Columns, and products of columns, that gave it away, the clearest first; may be empty.
    rows
        How many rows of reference and window were tested on.
    """

    auc: float
    p_value: float
    telling: tuple[str, ...]
    rows: tuple[int, int]


def separation(
    names: Sequence[str], reference: Sequence[Sequence[Cell]], current: Sequence[Sequence[Cell]], seed: int = 0
) -> Separation | None:
    """Return how well rows of the window can be told from those of the reference.

    Parameters
    ----------
    names
        Of the columns, as many as each row has cells.
    reference, current
        Samples of rows: numbers, levels as text, None where a value is missing.
    seed
        Of the division into halves. The same rows and seed give the same answer.

    Returns
    -------
    Separation or None
        None: a sample has fewer than 200 rows, or no column varies.
    """
    if min(len(reference), len(current)) < LEAST_ROWS:
        return None
    every = variables(names, [*reference, *current])
    if not every:
        return None
    draw, m = Random(seed), len(reference)
    (old, old_kept), (new, new_kept) = _halves(range(m), draw), _halves(range(m, m + len(current)), draw)
    features = chosen(every, old, new)
    columns = [feature.values() for feature in features]
    by = weights(features, old, new)
    scores = [sum(weight * value for weight, value in zip(by, row, strict=True)) for row in zip(*columns, strict=True)]
    area, error = auc([scores[i] for i in old_kept], [scores[i] for i in new_kept])
    return Separation(
        auc=area,
        p_value=normal.survival((area - 0.5) / error) if error else 1.0,
        telling=tuple(feature.name for feature in features if abs(feature.apart) > TELLING)[:NAMED],
        rows=(len(old_kept), len(new_kept)),
    )


def _halves(places: range, draw: Random) -> tuple[list[int], list[int]]:
    mixed = draw.sample(places, len(places))
    return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
