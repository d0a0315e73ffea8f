"""Numbers as people write them."""

from math import isfinite


def number(value: float) -> str:
    """Return a number with four significant digits: ``12,340``, ``0.0271``, ``3.2e-09``."""
    if not isfinite(value):
        return str(value)
    size = abs(value)
    if value == int(value) and size < 1e6:
        return f"{value:,.0f}"
    if size >= 1e6 or size < 1e-3:
        return f"{value:.3g}"
    return f"{value:,.{4 if size < 1 else 3 if size < 10 else 2 if size < 100 else 1}f}".rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """Return a share in percent, with digits enough to tell it from 0 and 100: ``31 %``, ``0.4 %``, ``99.97 %``."""
    value = 100 * share
    near = min(value, 100 - value)
    if near <= 0:
        return f"{value:.0f} %"
    digits = 0 if near >= 10 else 1 if near >= 0.1 else 2
    return f"{value:.{digits}f} %" if near >= 0.005 else ("under 0.01 %" if value < 50 else "over 99.99 %")


def points(difference: float) -> str:
    """Return a difference of two shares: ``3.2 percentage points``."""
    return f"{100 * abs(difference):.1f} percentage points"


def index(value: float) -> str:
    """Return a distance such as PSI: ``1.16``, ``0.038``."""
    return f"{value:.2f}" if value >= 0.995 else f"{value:.3f}"


def short_chance(p_value: float) -> str:
    """Return a p-value as odds where there is little room: ``1 in 2,300``, ``< 10⁻⁹``."""
    return "< 10⁻⁹" if p_value <= 1e-9 else chance(p_value)


def chance(p_value: float) -> str:
    """Return a p-value as odds: ``1 in 2,300``."""
    if p_value <= 1e-9:
        return "less than 1 in a billion"
    odds = 1 / p_value
    return f"1 in {odds:,.0f}" if odds >= 10 else f"{p_value:.2f}"


def share_of(part: int, whole: int, what: str = "rows") -> str:
    """Return ``120 of 730 rows (16 %)``; `whole` is at least 1."""
    return f"{part:,} of {whole:,} {what} ({percent(part / whole)})"


def at(stamp: str) -> str:
    """Return an ISO 8601 UTC time for people: ``2026-03-01 14:00 UTC``."""
    return f"{stamp.replace('T', ' ').removesuffix('Z')[:16]} UTC"


def listed(names: list[str], most: int = 5) -> str:
    """Return names in a row, no more than `most`: ``a, b and 3 more``."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
