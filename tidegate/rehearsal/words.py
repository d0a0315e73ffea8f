"""How rehearsals are told: durations, shares and counts."""

from __future__ import annotations

NOTHING = "–"


def minutes(seconds: float | None) -> str:
    """Return a duration in the unit in which people would say it."""
    if seconds is None:
        return NOTHING
    if seconds == float("inf"):
        return "never"
    for unit, size, until in (("s", 1.0, 100.0), ("min", 60.0, 100.0), ("h", 3600.0, 72.0)):
        if seconds / size < until:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400:,.0f} days"


def percent(share: float) -> str:
    """Return a share in per cent."""
    return f"{100 * share:.3g} %"


def of(hits: int, count: int) -> str:
    """Return how many of how many; all and none in words."""
    return "always" if hits == count else "never" if hits == 0 else f"{hits} of {count}"
