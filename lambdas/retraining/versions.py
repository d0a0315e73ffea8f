"""Names of new versions, as Semantic Versioning 2.0.0 orders them. Pure."""

import re
from collections.abc import Iterable

_SEMANTIC = re.compile(r"(\d+)\.(\d+)\.(\d+)")
MAJOR, MINOR, PATCH = "major", "minor", "patch"


def next_version(known: Iterable[str], change: str) -> str:
    """Return a version beyond all that are known.

    Parameters
    ----------
    known
        Versions that are registered or live; a name that does not begin as ``1.2.3`` counts for none.
    change
        ``major`` when clients must change, ``minor`` for a model that is better, ``patch`` otherwise.
    """
    numbers = [tuple(map(int, found.groups())) for each in known if (found := _SEMANTIC.match(each))]
    major, minor, patch = max(numbers, default=(0, 0, 0))
    if change == MAJOR:
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if change == MINOR else f"{major}.{minor}.{patch + 1}"


def change_of(*, signature_change: bool, better: bool, gain: float) -> str:
    """Return how much a challenger changes."""
    if signature_change:
        return MAJOR
    return MINOR if better and gain > 0 else PATCH
