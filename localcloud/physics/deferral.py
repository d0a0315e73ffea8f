"""A lock that is never held while the outside world is called."""

import logging
import threading
from collections.abc import Callable
from types import TracebackType

_log = logging.getLogger(__name__)


class DeferringLock:
    """A re-entrant lock whose holder leaves calls to others (events, containers, storage) for after its release."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._waiting: list[Callable[[], object]] = []

    def later(self, call: Callable[[], object]) -> None:
        """Run `call` once the lock is free, in the order of asking; only its holder may ask."""
        self._waiting.append(call)

    def __enter__(self) -> "DeferringLock":
        self._lock.acquire()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._depth -= 1
        waiting: list[Callable[[], object]] = []
        if self._depth == 0:
            waiting, self._waiting = self._waiting, waiting
        self._lock.release()
        for call in waiting:
            try:
                call()
            except Exception:  # whoever is told of a change must not be able to undo or hide it
                _log.exception("a call after a change failed")
