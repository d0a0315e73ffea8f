"""Whether labels look like the truth: what a model learns from wrong ones wins on held-out rows with wrong ones.

The held-out rows' labels come from where the training rows' do. Labels that are reversed, or that somebody has set, are
so in both, and a challenger that has learnt them is far better there than the champion. No comparison of the two can
tell that from a true change. So what is unlikely of a true change is named here, and is for a person to look at.
"""

from itertools import pairwise
from math import exp, log, sqrt

from lambdas.monitoring.profile.baseline import Baseline
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.statistics.normal import wilson

from .comparison import Answered, auc

REVERSED = 0.4
"""Area under the champion's ROC curve from which down its ranking is called reversed. Drift of the inputs makes a model
no better than chance, which is 0.5, and seldom worse; reversed labels make 0.9 into 0.1."""

BALANCE = 3.0
"""Ratio of the odds of label 1 to the usual ones, from which on, or from whose inverse down, the balance is another."""

_Z = 1.96


def usual_positive(baseline: Baseline) -> float | None:
    """Return the share of label 1 where a model was trained, None where its baseline does not tell.

    The mean of calibrated probabilities, which is that share: of each bin its middle counts.
    """
    name = baseline.output_roles.probability
    tally = baseline.outputs[name].tally if name is not None else None
    if not isinstance(tally, NumberTally) or tally.minimum is None or tally.maximum is None:
        return None
    ends = [min(tally.minimum, tally.bins.edges[0]), *tally.bins.edges, max(tally.maximum, tally.bins.edges[-1])]
    middles = [(low + high) / 2 for low, high in pairwise(ends)]
    shares = [baseline.calibration(each) for each in middles] if baseline.calibration else middles
    return sum(share * rows for share, rows in zip(shares, tally.counts, strict=True)) / tally.finite


def doubts(champion: Answered, usual_positive: float | None) -> list[str]:
    """Return why the held-out labels may not be the truth, in words; nothing where nothing speaks against them.

    Parameters
    ----------
    champion
        The champion's answers to the held-out rows.
    usual_positive
        Share of label 1 where the champion was trained; None where its baseline does not tell.
    """
    return [*_reversed(champion), *_unbalanced(champion, usual_positive)]


def _reversed(champion: Answered) -> list[str]:
    given = champion.where(champion.probabilities == champion.probabilities)  # NaN, no answer, is unequal to itself
    area = auc(given.probabilities, given.labels)
    if area is None:
        return []
    positive = int(given.labels.sum())
    most = area + _Z * area_error(area, positive, len(given.labels) - positive)
    if most >= REVERSED:
        return []
    return [
        f"the champion ranks the held-out rows the wrong way round (area under its ROC curve {area:.3f}, surely below "
        f"{REVERSED:g}), which drift hardly does: see that labels are not reversed"
    ]


def area_error(area: float, positive: int, negative: int) -> float:
    """Return the standard error of the area under a ROC curve.

    Hanley and McNeil, *The meaning and use of the area under a receiver operating characteristic curve* (1982).
    """
    both_positive, both_negative = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area)
    spread += (positive - 1) * (both_positive - area**2) + (negative - 1) * (both_negative - area**2)
    return sqrt(max(spread, 0.0) / (positive * negative))


def _unbalanced(champion: Answered, usual: float | None) -> list[str]:
    if usual is None or not 0 < usual < 1:
        return []
    positive, rows = int(champion.labels.sum()), len(champion.labels)
    low, high = wilson(positive, rows)
    least, most = (_at_odds(usual, factor) for factor in (1 / BALANCE, BALANCE))
    if high >= least and low <= most:
        return []
    return [
        f"{positive / rows:.1%} of the held-out labels are 1, and usually {usual:.1%} are: the odds differ more than "
        f"{BALANCE:g} times, which drift hardly does: see how labels are made"
    ]


def _at_odds(share: float, factor: float) -> float:
    odds = exp(log(share / (1 - share)) + log(factor))
    return odds / (1 + odds)
