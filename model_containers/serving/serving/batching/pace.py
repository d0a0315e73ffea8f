"""How long those who wait have to wait, learnt from the batches that were done."""

_WEIGHT = 0.2
"""Of the newest batch in the running mean: a change of pace is believed after about five batches."""

_DOUBT = 0.05
"""Of a small batch that took less than a full one is thought to take."""


class Pace:
    """The running mean of what a full batch takes. Written by the device thread, read by the event loop.

    Batches less than half full say little of how a crowd is served, and count only until there has been a fuller one.

    Parameters
    ----------
    most
        The rows of a full batch.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._seconds = 0.0
        self._is_guess = True

    def learn(self, rows: int, seconds: float) -> None:
        """Take note of a batch."""
        is_guess = 2 * rows < self._most
        if is_guess and not self._is_guess:
            # If a crowd is refused because the device once was slow, only such batches are left to tell of it.
            self._seconds += min(seconds - self._seconds, 0.0) * _DOUBT
            return
        fresh = self._seconds == 0.0 or self._is_guess != is_guess
        self._seconds += (seconds - self._seconds) * (1.0 if fresh else _WEIGHT)
        self._is_guess = is_guess

    def seconds_for(self, rows: int) -> float:
        """Return after how long a request is answered that finds so many rows, its own included, not yet done."""
        return (1 + rows / self._most) * self._seconds
