"""In words, how a column has moved."""

from lambdas.monitoring.assessment.features import FeatureDrift, levels
from lambdas.monitoring.assessment.wording import number, percent
from lambdas.monitoring.profile.bins import merged
from lambdas.monitoring.profile.references import NumberReference, Reference
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally, Tally


def movement(drift: FeatureDrift, reference: Reference, current: Tally, groups: int) -> str:
    """Return how a column has moved: its mean, and where most of the difference is."""
    if isinstance(reference, NumberReference) and isinstance(current, NumberTally):
        return f"{_mean(drift)}{_range(reference, current, groups)}"
    if isinstance(current, CategoryTally) and isinstance(reference.tally, CategoryTally):
        return _level(reference.tally, current)
    return ""


def _mean(drift: FeatureDrift) -> str:
    old, new, deviation = drift.reference.get("mean"), drift.current.get("mean"), drift.reference.get("deviation")
    if old is None or new is None:
        return ""
    if not deviation:
        return f"It was always about {number(old)} in training; its mean is now {number(new)}. "
    away = abs(new - old) / deviation
    moved = f", {away:.1f} standard deviations {'up' if new > old else 'down'}" if away >= 0.05 else ""
    return f"Its mean is {number(new)}, in training {number(old)}{moved}. "


def _range(reference: NumberReference, current: NumberTally, groups: int) -> str:
    """Say in which range the shares differ most; neighbouring groups that moved alike are taken together."""
    boundaries = reference.bins.grouped(reference.tally.counts, groups)
    old, new = merged(reference.tally.counts, boundaries), merged(current.counts, boundaries)
    m, n = sum(old), sum(new)
    away = [b / n - a / m for a, b in zip(old, new, strict=True)]
    first = max(range(len(away)), key=lambda place: abs(away[place]))
    last = first + 1
    while first > 0 and away[first - 1] * away[first] > 0:
        first -= 1
    while last < len(away) and away[last] * away[last - 1] > 0:
        last += 1
    before, after = sum(old[first:last]) / m, sum(new[first:last]) / n
    where = _between(reference, boundaries[first], boundaries[last])
    return f"{percent(after)} of its values are {where}, in training {percent(before)}."


def _between(reference: NumberReference, first: int, last: int) -> str:
    edges = reference.bins.edges
    low = number(edges[first - 1]) if first > 0 else None
    high = number(edges[last - 1]) if last <= len(edges) else None
    if low is None and high is None:
        return "anywhere"
    if low is None:
        return f"below {high}"
    if low == high:
        return f"about {low}"
    return f"{low} or more" if high is None else f"from {low} to below {high}"


def _level(reference: CategoryTally, current: CategoryTally) -> str:
    old, new = levels(reference), levels(current)
    m, n = sum(old.values()), sum(new.values())
    shares = {level: (old.get(level, 0) / m, new.get(level, 0) / n) for level in {**old, **new}}
    moved = sorted(shares, key=lambda level: (-abs(shares[level][1] - shares[level][0]), level))[:2]
    said = [f"`{level}` is {percent(shares[level][1])}, in training {percent(shares[level][0])}" for level in moved]
    return f"{'; '.join(said)}."
