"""What the weather then did: told to Tidegate some seconds after each answer, as labels arrive in life."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tidegate.demo.loop.stream import inference_id
from tidegate.demo.observations import Request
from tidegate.demo.openloop import Pace
from tidegate.demo.traffic import Stream
from tidegate.labels import Label

LATE_SECONDS = 5.0
EVERY_SECONDS = 5.0

Put = Callable[[Sequence[Label], datetime], object]
"""Stores labels, at a time."""


class Truth:
    """Tells the label of each answered request once, some seconds later.

    Parameters
    ----------
    stream
        Knows the labels.
    requests
        What has been answered; grows.
    put
        Stores labels.
    pace
        Time.
    """

    def __init__(self, stream: Stream, requests: Sequence[Request], put: Put, pace: Pace) -> None:
        self._stream = stream
        self._requests = requests
        self._put = put
        self._pace = pace
        self._told: set[int] = set()

    @property
    def told(self) -> int:
        """How many labels have been told."""
        return len(self._told)

    def tell(self) -> None:
        """Tell what is due; what could not be stored is due again."""
        known_by = self._pace.now() - LATE_SECONDS
        due = [r.index for r in list(self._requests) if not r.failure and r.done <= known_by]
        fresh = [index for index in due if index not in self._told]
        if fresh:
            self._put([Label(inference_id(index), str(self._stream.row(index)[1])) for index in fresh], self._now())
            self._told.update(fresh)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._pace.now(), UTC)
