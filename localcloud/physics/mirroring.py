"""Where the copies of requests that shadow variants get are run, so that no client waits for them."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from localcloud.clock import Clock

Copy = Callable[[], object]
Aside = Callable[[Copy], bool]
"""Takes a copy to run apart from its request; False if there is no room for it."""

MOST_COPIES = 64
"""Copies under way at a time in the local cloud: a shadow that hangs must not hold threads without bound."""

_log = logging.getLogger(__name__)


def soon(clock: Clock) -> Aside:
    """Return what runs copies as the clock's own actions: in order, without threads, as virtual time wants it."""

    def submit(copy: Copy) -> bool:
        clock.call_later(0.0, copy)
        return True

    return submit


class MirrorThreads:
    """Runs copies on threads of their own, up to a limit."""

    def __init__(self, most: int = MOST_COPIES, name: str = "mirror") -> None:
        self._room = threading.BoundedSemaphore(most)
        self._threads = ThreadPoolExecutor(max_workers=most, thread_name_prefix=f"localcloud-{name}")

    def submit(self, copy: Copy) -> bool:
        """Run `copy` on a thread, and return at once; False if all threads are busy."""
        if not self._room.acquire(blocking=False):
            return False
        try:
            self._threads.submit(self._run, copy)
        except RuntimeError:  # closed meanwhile: the client's own request goes on
            self._room.release()
        return True

    def close(self) -> None:
        """Take no more copies; those under way end with their containers."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, copy: Copy) -> None:
        try:
            copy()
        except Exception:  # what breaks in the local cloud itself must not vanish in a thread
            _log.exception("a request failed in the local cloud itself")
        finally:
            self._room.release()
