"""The clock that tells how old is what an instance of a function keeps from one request to the next."""

from collections.abc import Callable


class FreshnessClock:
    """Returns seconds, of which at least as many pass as on either of two clocks; they never go back.

    Lambda freezes an instance between its requests, for hours where there are none, and a monotonic clock may stand
    still meanwhile. A wall clock sees that time has passed, but can be set back. So each reading adds what has passed
    since the last one on whichever has gone further: what is kept may look older than it is, and never younger.

    What one invocation may take is told by a monotonic clock alone: it is not frozen while it lasts. An instance
    answers one request at a time, so nothing here is locked.

    Parameters
    ----------
    wall
        Returns epoch seconds.
    monotonic
        Returns seconds on a clock that never jumps, and need not run while the function is frozen.
    """

    def __init__(self, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._wall, self._monotonic = wall, monotonic
        self._read_at = wall(), monotonic()
        self._seconds = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        before, self._read_at = self._read_at, (self._wall(), self._monotonic())
        self._seconds += max(now - then for now, then in zip(self._read_at, before, strict=True))
        return self._seconds
