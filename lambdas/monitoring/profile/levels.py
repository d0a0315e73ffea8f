"""Which levels of a category are counted each by itself."""

from collections import Counter
from collections.abc import Iterable, Mapping

from lambdas.monitoring.profile.tallies import CategoryTally

MOST_LEVELS = 50
RARE_SHARE = 0.005
MOST_RARE_NAMES = 200


def counted_levels(values: Iterable[str | None]) -> CategoryTally:
    """Count a category's training values, see `grouped_levels`."""
    return grouped_levels(Counter(values))


def grouped_levels(counts: Mapping[str, int] | Mapping[str | None, int]) -> CategoryTally:
    """Choose levels by how often each came; None is missing.

    Levels are in the order of their counts. Those rarer than 0.5 % of the values that are present, and those
    beyond the 50 most frequent, are grouped as ``(rare)``. With more than 200 rare levels, new ones are taken for
    normal: the tally is open-ended.
    """
    levels = {level: times for level, times in counts.items() if level is not None}
    present = sum(levels.values())
    ordered = sorted(levels, key=lambda level: (-levels[level], level))
    known = [level for level in ordered[:MOST_LEVELS] if levels[level] >= RARE_SHARE * present]
    rare = ordered[len(known) :]
    many = len(rare) > MOST_RARE_NAMES
    tally = CategoryTally(known, () if many else sorted(rare), open_ended=many)
    tally.add_counts(counts)
    return tally
