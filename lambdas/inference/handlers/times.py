"""The time, and what an invocation has left of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_MILLISECONDS = 1000.0


@dataclass(frozen=True)
class SystemClock:
    """Implements the clocks of jobs: `now` returns epoch seconds."""

    now: Callable[[], float] = time.time


class TimeLeft:
    """Returns how many seconds the invocation has left that was begun last."""

    def __init__(self) -> None:
        self._ends = 0.0

    def start(self, context: Any) -> None:
        """Begin an invocation."""
        self._ends = time.monotonic() + float(context.get_remaining_time_in_millis()) / _MILLISECONDS

    def __call__(self) -> float:
        """Return the seconds."""
        return self._ends - time.monotonic()
