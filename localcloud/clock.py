"""Time as the local cloud sees it: real in the local cloud, virtual in simulations."""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

Action = Callable[[], object]

_log = logging.getLogger(__name__)


class Timer(Protocol):
    """An action that waits for its time."""

    def cancel(self) -> None:
        """Forget the action unless it has begun; cancelling twice, or late, is harmless."""


class Clock(Protocol):
    """What physics asks of time. Nothing in physics sleeps or starts threads of its own."""

    def now(self) -> float:
        """Return epoch seconds."""

    def call_later(self, delay: float, action: Action) -> Timer:
        """Run `action` once, `delay` seconds from now; a delay of 0 means soon, never at once."""


class _Entry:
    """A due time, the order of asking among equals, and the action."""

    __slots__ = ("action", "due", "order")

    def __init__(self, due: float, order: int, action: Action) -> None:
        self.due = due
        self.order = order
        self.action: Action | None = action

    def __lt__(self, other: "_Entry") -> bool:
        return (self.due, self.order) < (other.due, other.order)

    def cancel(self) -> None:
        self.action = None


class VirtualClock:
    """Time that stands still until it is advanced.

    Parameters
    ----------
    start
        Epoch seconds at which time begins.
    """

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start
        self._entries: list[_Entry] = []
        self._asked = 0

    def now(self) -> float:
        """Return the virtual time."""
        return self._now

    def call_later(self, delay: float, action: Action) -> Timer:
        """Queue `action`; it runs inside the `advance` that reaches it."""
        self._asked += 1
        entry = _Entry(self._now + max(delay, 0.0), self._asked, action)
        heapq.heappush(self._entries, entry)
        return entry

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, running in order what falls due, including what that asks for in turn.

        An action may let time pass itself, as one that waits for an answer does.
        """
        end = self._now + seconds
        while self._entries and self._entries[0].due <= end:
            entry = heapq.heappop(self._entries)
            self._now = max(self._now, entry.due)
            if entry.action is not None:
                entry.action()
        self._now = max(self._now, end)  # an action may have let more time pass than was left

    def next_due(self) -> float | None:
        """Return when the next action is due, for simulations that jump from event to event."""
        while self._entries and self._entries[0].action is None:
            heapq.heappop(self._entries)
        return self._entries[0].due if self._entries else None


class RealClock:
    """Wall-clock time with one timer thread; actions should be short, because they run one after another.

    Due times are kept on the monotonic clock, so that a stepped wall clock neither stalls nor bunches them.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = False
        self._thread: threading.Thread | None = None

    def now(self) -> float:
        """Return the time of day as epoch seconds."""
        return time.time()

    def call_later(self, delay: float, action: Action) -> Timer:
        """Queue `action` for the timer thread; it waits for `start` if that has not happened yet."""
        entry = _Entry(time.monotonic() + max(delay, 0.0), next(self._order), action)
        with self._changed:
            heapq.heappush(self._entries, entry)
            self._changed.notify()
        return entry

    def start(self) -> None:
        """Start the timer thread; starting twice is harmless."""
        with self._changed:
            if self._running:
                return
            self._running = True
        self._thread = threading.Thread(target=self._run, name="localcloud-clock", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the timer thread, once the action that it may be running has ended."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (action := self._next_action()) is not None:
            try:
                action()
            except Exception:  # one broken action must not stop time for all others
                _log.exception("a timed action failed")

    def _next_action(self) -> Action | None:
        """Wait for the next due action; None once the clock is stopped."""
        with self._changed:
            while self._running:
                wait = self._entries[0].due - time.monotonic() if self._entries else None
                if wait is not None and wait <= 0:
                    action = heapq.heappop(self._entries).action
                    if action is not None:
                        return action
                else:
                    self._changed.wait(wait)
        return None
