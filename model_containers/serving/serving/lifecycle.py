"""What the server is doing now, and how many requests it has on its hands."""

import asyncio
from enum import Enum

from .problems import ProblemError, unavailable


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
    """The server's phase and its requests in flight. Touched by the event loop only."""

    def __init__(self) -> None:
        self.phase = Phase.LOADING
        self.in_flight = 0
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

    def refusal(self) -> ProblemError:
        """Return why no request is taken now."""
        return unavailable(_REFUSALS[self.phase])

    def enter(self) -> None:
        """Accept a request; `leave` must follow when it is answered.

        Raises
        ------
        ProblemError
            Status 503: loading or draining.
        """
        if self.phase is not Phase.READY:
            raise self.refusal()
        self.in_flight += 1
        self._idle.clear()

    def leave(self) -> None:
        """Take note that an accepted request is answered."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until no request is in flight."""
        await self._idle.wait()
