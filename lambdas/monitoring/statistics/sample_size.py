"""How many rows a window needs before a drift can be told from chance.

If the true PSI is d, PSI / (1/N + 1/M) is about a noncentral chi-square variable with B - 1 degrees of freedom and
noncentrality d / (1/N + 1/M): for small d, PSI is the sum of squared differences of shares over the shares, which is
Pearson's statistic over its scale. A test at level alpha finds it with a chance of `power` once that noncentrality
reaches the value l(power, alpha, B - 1), hence::

    N >= 1 / (d / l - 1 / M)

Of F features the worst case of Benjamini-Hochberg is that only one drifts: its level is then alpha / F, as that of
Bonferroni. A reference of fewer than l / d rows can never do, whatever the window's size.
"""

from math import ceil

from lambdas.monitoring.statistics.chi_square import noncentrality_for

NEVER = None


def rows_needed(
    effect: float, reference_rows: float, *, bins: int = 10, features: int = 1, level: float = 0.05, power: float = 0.8
) -> int | None:
    """Return how many rows a window needs.

    Parameters
    ----------
    effect
        True PSI that must be found.
    reference_rows
        Rows of the reference, M.
    bins
        Bins that PSI is computed on, B; at least 2.
    features
        How many are tested at once, F.
    level
        False discovery rate, 0 to 1.
    power
        Chance of finding it, 0 to 1.

    Returns
    -------
    int or None
        None: the reference is too small for any window; see `reference_rows_needed`.
    """
    needed = noncentrality_for(power, level / max(features, 1), max(bins, 2) - 1)
    left = effect / needed - (1 / reference_rows if reference_rows else effect / needed)
    return ceil(1 / left) if left > 0 else NEVER


def reference_rows_needed(
    effect: float, *, bins: int = 10, features: int = 1, level: float = 0.05, power: float = 0.8
) -> int:
    """Return how many rows the reference must exceed for any window to do."""
    return ceil(noncentrality_for(power, level / max(features, 1), max(bins, 2) - 1) / effect)
