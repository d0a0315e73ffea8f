"""Whether an execution may go on."""

import threading
import time

from localcloud.services.workflows.errors import TIMEOUT, ClosedError, StateError, StoppedError

_LOOK_SECONDS = 0.05


class Halt:
    """Tells an execution to end: it is stopped, the one that it belongs to is, its time is over, or the cloud stops.

    Parameters
    ----------
    closed
        Set when the local cloud stops.
    seconds
        How long it may take; None for any time.
    parent
        Of what it belongs to.
    """

    def __init__(self, closed: threading.Event, seconds: float | None = None, parent: "Halt | None" = None) -> None:
        self._closed = closed
        self._stopped = threading.Event()
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._parent = parent

    def stop(self) -> None:
        """Tell it to end."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Whether it has been told to end."""
        return self._stopped.is_set() or (self._parent is not None and self._parent.stopped)

    def check(self) -> None:
        """Raise what ends the execution, if anything does."""
        if self._closed.is_set():
            raise ClosedError
        if self.stopped:
            raise StoppedError
        if self._ends is not None and time.monotonic() > self._ends:
            raise StateError(TIMEOUT, "")
        if self._parent is not None:
            self._parent.check()

    def wait(self, seconds: float) -> None:
        """Wait, as long as nothing ends the execution."""
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            self._stopped.wait(min(left, _LOOK_SECONDS))
            self.check()
