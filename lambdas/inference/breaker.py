"""When an endpoint that does not answer is left alone, and by whom. Pure over a clock."""

from collections.abc import Callable

from lambdas.inference.settings import Breaker

MOST_INPUTS = 1000
"""As many failures as a breaker may take; one that never opens remembers no more inputs than that."""


class CircuitBreaker:
    """Opens after some failures in a row; once it has been open for a while, one request tries the endpoint.

    Each instance of the function has its own: what one of them has seen says nothing of the others' connections, and
    nothing is asked of anybody while requests wait.

    Parameters
    ----------
    settings
        How many failures open it, and for how long.
    clock
        Seconds on a clock that never goes back, and sees the time that a function is frozen.
    """

    def __init__(self, settings: Breaker, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._failures = 0
        self._inputs: set[str] = set()
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
        self._inputs.clear()

    def learnt_nothing(self) -> None:
        """Note that the request has said nothing of the endpoint: was it the one try, the next request has that."""
        self._trying_since = None

    def failed(self, input_hash: str | None = None) -> None:
        """Note that it has not; with `input_hash`, that it failed on this input, which counts once in a row."""
        if input_hash is None or input_hash not in self._inputs:
            self._failures += 1
        if input_hash is not None and len(self._inputs) < MOST_INPUTS:
            self._inputs.add(input_hash)
        if self._opened_at is not None or self._failures >= self._settings.failures:
            self._opened_at, self._trying_since = self._clock(), None


class Breakers:
    """The breaker of an endpoint for all its clients, and one for each client whose rows its model fails on.

    An endpoint that cannot be reached, is too busy or does not answer in time would make everybody wait, so that
    everybody leaves it alone. A container that answers 500 is there, and its answer came: what is wrong may be these
    rows. So that nobody's rows keep others away, such failures count for the client who sent them, each input once:
    neither does a client lose its other requests by sending one that fails again and again. Where the model fails on
    everything each client finds that out for itself.

    Parameters
    ----------
    settings, clock
        As of `CircuitBreaker`.
    """

    def __init__(self, settings: Breaker, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._endpoint = CircuitBreaker(settings, clock)
        self._clients: dict[str, CircuitBreaker] = {}

    def retry_after(self, client: str) -> float:
        """Return the seconds until the endpoint may be asked for a client again; 0 when it may be now."""
        return max(breaker.retry_after for breaker in self._of(client))

    def admits(self, client: str) -> bool:
        """Return whether the endpoint may be asked for a client now; whoever is told so must tell how it went."""
        # Neither is asked for its one try before it is known that the other has one as well.
        if self.retry_after(client) > 0:
            return False
        return all(breaker.admits() for breaker in self._of(client))

    def answered(self, client: str) -> None:
        """Note that the endpoint has answered a client, be it that it refused its rows."""
        for breaker in self._of(client):
            breaker.succeeded()

    def learnt_nothing(self, client: str) -> None:
        """Note that a client's request has said nothing of the endpoint, be it that it was never sent."""
        for breaker in self._of(client):
            breaker.learnt_nothing()

    def failed(self) -> None:
        """Note that the endpoint has not answered, whoever asked."""
        self._endpoint.failed()

    def failed_on(self, client: str, input_hash: str) -> None:
        """Note that the model has failed on a client's rows, which the endpoint has answered."""
        self._endpoint.succeeded()
        self._clients.setdefault(client, CircuitBreaker(self._settings, self._clock)).failed(input_hash)

    def _of(self, client: str) -> tuple[CircuitBreaker, ...]:
        own = self._clients.get(client)
        return (self._endpoint,) if own is None else (self._endpoint, own)
