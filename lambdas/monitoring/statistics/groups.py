"""Categories are merged until each group holds enough rows for a chi-square approximation."""

from collections.abc import Mapping

# Rows that each sample is expected to have in a bin: the rule of Cochran (1954).
LEAST_EXPECTED = 5.0


def enough_expected(
    reference: Mapping[str, float], current: Mapping[str, float], least: float = LEAST_EXPECTED
) -> tuple[list[float], list[float]]:
    """Return the counts of categories in both samples; those too rare for a test come first, as one.

    What is too rare is decided by the reference and the window's size alone: whoever looks at the window's own counts
    makes differences, or hides them. The rare ones may still be too few together. That does no harm: an index that
    takes the logarithm of their ratio is not upset by few rows, and what the reference never saw must show.
    """
    m, n = sum(reference.values()), sum(current.values())
    scale = min(1.0, n / m) if m else 0.0
    common = [name for name in sorted(reference) if reference[name] * scale >= least]
    rare = {*reference, *current}.difference(common)
    old, new = (sum(counts.get(name, 0) for name in rare) for counts in (reference, current))
    kept = [(float(reference[name]), float(current.get(name, 0))) for name in common]
    groups = [(old, new), *kept] if old or new else kept
    return [pair[0] for pair in groups], [pair[1] for pair in groups]
