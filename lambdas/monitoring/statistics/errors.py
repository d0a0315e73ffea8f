"""What cannot be compared."""

from collections.abc import Sequence


class IncomparableError(ValueError):
    """Two samples were given that no statistic can compare; the text says which and why."""


def totals(reference: Sequence[float], current: Sequence[float]) -> tuple[float, float]:
    """Return how many rows both samples have.

    Raises
    ------
    IncomparableError
        If the bins differ in number, a count is negative, or a sample is empty.
    """
    if len(reference) != len(current):
        raise IncomparableError(
            f"the reference has {len(reference)} bins, the window {len(current)}: count both on the same bins"
        )
    for name, counts in (("reference", reference), ("window", current)):
        if any(count < 0 for count in counts):
            raise IncomparableError(f"the {name} has a negative count: {min(counts)}")
        if not sum(counts):
            raise IncomparableError(
                f"the {name} has no rows in any bin: ask for its distribution only when it has some"
            )
    return sum(reference), sum(current)
