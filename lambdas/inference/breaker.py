"""When an endpoint that does not answer is left alone. Pure over a clock."""

from collections.abc import Callable

from lambdas.inference.settings import Breaker


class CircuitBreaker:
    """Opens after some failures in a row; once it has been open for a while, one request tries the endpoint.

    Each instance of the function has its own: what one of them has seen says nothing of the others' connections, and
    nothing is asked of anybody while requests wait. Only what is the endpoint's fault counts.

    Parameters
    ----------
    settings
        How many failures open it, and for how long.
    clock
        Seconds on a clock that never jumps.
    """

    def __init__(self, settings: Breaker, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._trying_since: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether requests are kept from the endpoint, but for the one that tries it."""
        return self._opened_at is not None

    @property
    def retry_after(self) -> float:
        """Seconds until the endpoint is tried again; 0 when it may be now."""
        since = self._trying_since if self._trying_since is not None else self._opened_at
        return max(since + self._settings.open_seconds - self._clock(), 0.0) if since is not None else 0.0

    def admits(self) -> bool:
        """Return whether the endpoint may be asked now; whoever is told so must tell how it went.

        A try that nobody told the end of, because its invocation was killed, keeps others away for as long as the
        breaker stays open, and no longer.
        """
        if self._opened_at is None:
            return True
        if self.retry_after > 0:
            return False
        self._trying_since = self._clock()
        return True

    def succeeded(self) -> None:
        """Note that the endpoint has answered."""
        self._failures, self._opened_at, self._trying_since = 0, None, None

    def failed(self) -> None:
        """Note that it has not."""
        self._failures += 1
        if self._opened_at is not None or self._failures >= self._settings.failures:
            self._opened_at, self._trying_since = self._clock(), None
