"""Windows of traffic, when they are looked at, and which files belong to them.

Every rule here depends on the window alone, and not on when the monitor happens to run: a look that is repeated sees
the same files, and counts the same.
"""

from dataclasses import dataclass

from lambdas.monitoring.times import HOUR, compact, hour_folder, minute

SETTLE_SECONDS = 2
"""S3 tells when an object was written in whole seconds; one that was written just before a deadline is visible then."""

MOST_BEHIND = 48
"""Windows that are caught up with; what lies further back is given up."""


@dataclass(frozen=True, order=True)
class Window:
    """The requests that were answered from `start` until before `end`, in whole epoch seconds."""

    start: int
    end: int

    @property
    def id(self) -> str:
        """Return its name in events and reports."""
        return minute(self.start)

    @property
    def key(self) -> str:
        """Return its name in S3 and in the table."""
        return compact(self.start)

    @property
    def seconds(self) -> int:
        """Return its length."""
        return self.end - self.start

    def later(self, windows: int) -> "Window":
        """Return the window that many windows later."""
        return Window(self.start + windows * self.seconds, self.end + windows * self.seconds)


@dataclass(frozen=True)
class Horizon:
    """Which files a look at a window takes: those that were last written from `since` to `until`.

    Each file is fresh at one window's look alone: where it was written after `fresh_after`, and until `fresh_until`.
    Lines in it that belong to an earlier window came too late for that one's look, and are counted as late then. Lines
    that do not say when they are from are counted as malformed with the window in which their file was written.
    """

    since: float
    until: float
    fresh_after: float
    fresh_until: float

    def takes(self, modified_at: float) -> bool:
        """Return whether a file may hold the window's requests."""
        return self.since <= modified_at <= self.until

    def is_fresh(self, modified_at: float) -> bool:
        """Return whether what belongs to no window is to be counted with this one."""
        return self.fresh_after < modified_at <= self.fresh_until


@dataclass(frozen=True)
class Backlog:
    """What is to be looked at.

    Parameters
    ----------
    due
        Windows whose time has come, the oldest first.
    given_up
        From the start of the first to the end of the last window that lies too far back; None when none does.
    behind
        How many windows wait, those that are given up among them.
    """

    due: tuple[Window, ...] = ()
    given_up: Window | None = None
    behind: int = 0


def containing(at: float, seconds: int) -> Window:
    """Return the window of that length that a moment lies in; windows begin at multiples of it since the epoch."""
    start = int(at // seconds) * seconds
    return Window(start, start + seconds)


def backlog(next_start: int, seconds: int, delay: float, now: float) -> Backlog:
    """Return what is to be looked at.

    Parameters
    ----------
    next_start
        Start of the first window that has not been looked at.
    seconds, delay
        Length of a window, and time from its end to the look at it.
    now
        Epoch seconds.
    """
    ready = int((now - delay - SETTLE_SECONDS - next_start) // seconds)
    if ready <= 0:
        return Backlog()
    lost = max(0, ready - MOST_BEHIND)
    resumed = next_start + lost * seconds
    due = tuple(Window(at, at + seconds) for at in range(resumed, next_start + ready * seconds, seconds))
    return Backlog(due, Window(next_start, resumed) if lost else None, ready)


def capture_horizon(window: Window, delay: float) -> Horizon:
    """Return which capture files are looked at for a window; the same at its second look."""
    until = window.end + delay
    return Horizon(window.start, until, window.start + delay, until)


def capture_hours(window: Window, delay: float) -> list[str]:
    """Return the hours' folders that may hold them.

    A file lies in the folder of its first request's hour, or of the hour when it was written: from an hour before the
    window, which is longer than anybody collects requests for, to the deadline.
    """
    return _hours(window.start - HOUR, window.end + delay)


def label_horizon(window: Window, delay: float, later: int) -> Horizon:
    """Return which label files are looked at for a window: those that came until its second look.

    Fresh ones are those of the window `later` windows on. By the second look all windows up to that one have been
    looked at, so that every request which those labels can be for is known.
    """
    last = window.later(later)
    return Horizon(window.start, last.end + delay, last.start, last.end)


def label_hours(window: Window, delay: float, later: int) -> list[str]:
    """Return the hours' folders of labels that came from the window's start until its second look."""
    return _hours(window.start, window.later(later).end + delay)


def _hours(since: float, until: float) -> list[str]:
    first = int(since // HOUR) * HOUR
    return [hour_folder(at) for at in range(first, int(until) + 1, HOUR)]
