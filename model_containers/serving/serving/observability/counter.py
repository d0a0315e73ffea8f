"""Counters by label, for what happens seldom and in any thread."""

import threading
from collections.abc import Mapping

OTHER = "other"


class LabelledCounter:
    """Counts by label.

    Several threads write these, so there is a lock; it is not on an answered request's way, and held for one addition.

    Parameters
    ----------
    limit
        Labels beyond so many are counted as ``other``, so that nothing a caller sends makes ever more series.
    """

    def __init__(self, limit: int) -> None:
        self._counts: dict[str, int] = {}
        self._limit = limit
        self._lock = threading.Lock()

    def add(self, label: str, count: int = 1) -> None:
        """Count `count` more."""
        with self._lock:
            if label not in self._counts and len(self._counts) >= self._limit:
                label = OTHER
            self._counts[label] = self._counts.get(label, 0) + count

    def read(self) -> Mapping[str, int]:
        """Return the counts by label."""
        with self._lock:
            return dict(self._counts)
