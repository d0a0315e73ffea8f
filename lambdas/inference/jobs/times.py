"""Times of jobs, as people and applications read them."""

from datetime import UTC, datetime


def stamp(at: float) -> str:
    """Return a time such as ``2026-11-22T03:00:00Z``."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
