"""Many features are tested at once: which of their p-values are small enough.

At 5 % each, 35 stable features raise an alarm in five windows of six. The procedure of Benjamini and Hochberg keeps the
share of false alarms among all alarms below the level on average; where nothing has changed, that is the chance of any
alarm. It holds for independent tests and for those that depend on each other positively, as features do (Benjamini and
Yekutieli 2001).
"""

from collections.abc import Mapping


def adjusted(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return adjusted p-values: a test is rejected at a level exactly if its adjusted one is not above it."""
    order = sorted(p_values, key=lambda name: p_values[name], reverse=True)
    count, least, found = len(order), 1.0, dict[str, float]()
    for place, name in enumerate(order):
        least = min(least, p_values[name] * count / (count - place))
        found[name] = least
    return {name: found[name] for name in p_values}


def rejected(p_values: Mapping[str, float], level: float) -> set[str]:
    """Return the names whose change chance does not explain, at a false discovery rate of `level`."""
    return {name for name, value in adjusted(p_values).items() if value <= level}
