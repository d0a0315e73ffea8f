"""Real days as requests, for traffic: lines of CSV, and whether it rained."""

from .dataset import DRIFT_START, FEATURES, HELD_OUT, load

__all__ = ["DRIFT_START", "FEATURES", "REPLAY", "labels", "rows"]

REPLAY = HELD_OUT
"""The rows to replay: no version has seen them, and the planted drift has not begun. Eleven years, so all seasons."""


def rows(start: int, stop: int) -> list[str]:
    """Return the days from row `start` up to `stop` as lines of CSV, without the label and without line breaks."""
    return [",".join(f"{value:.10g}" for value in day) for day in load().measurements[start:stop].tolist()]


def labels(start: int, stop: int) -> list[int]:
    """Return whether it rained on each of these days: 1 or 0."""
    return [int(label) for label in load().rain[start:stop]]
