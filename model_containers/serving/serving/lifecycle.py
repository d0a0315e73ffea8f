"""What the server is doing now, and how many requests it has on its hands."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from .problems import unavailable


class Phase(Enum):
    """Loading, then ready, then draining; never back."""

    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"


_REFUSALS = {
    Phase.LOADING: "the model is still loading; try again shortly",
    Phase.DRAINING: "this server is shutting down; try again, another one answers",
}


class Lifecycle:
    """The server's phase and its requests in flight.

    Parameters
    ----------
    max_in_flight
        Requests beyond this are refused, so that those accepted are answered in time.
    """

    def __init__(self, max_in_flight: int) -> None:
        self.phase = Phase.LOADING
        self.in_flight = 0
        self._max_in_flight = max_in_flight
        self._idle = asyncio.Event()
        self._idle.set()

    def ready(self) -> None:
        """Take requests from now on, unless it is already time to go."""
        if self.phase is Phase.LOADING:
            self.phase = Phase.READY

    def drain(self) -> None:
        """Take no more requests."""
        self.phase = Phase.DRAINING

    @property
    def draining(self) -> bool:
        """Whether it is time to go."""
        return self.phase is Phase.DRAINING

    @contextmanager
    def request(self) -> Iterator[None]:
        """Accept a request and count it until it is answered.

        Raises
        ------
        ProblemError
            Status 503: loading, draining, or too much on hand.
        """
        if self.phase is not Phase.READY:
            raise unavailable(_REFUSALS[self.phase])
        if self.in_flight >= self._max_in_flight:
            raise unavailable(f"{self.in_flight} requests are waiting already; try again shortly")
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    async def idle(self) -> None:
        """Wait until no request is in flight."""
        await self._idle.wait()

    def _count(self, change: int) -> None:
        self.in_flight += change
        if self.in_flight:
            self._idle.clear()
        else:
            self._idle.set()
