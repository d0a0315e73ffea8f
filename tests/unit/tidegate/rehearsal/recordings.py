"""Recordings of invented traffic."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.rehearsal.recording import Answered, Period, Recording

START = 1_767_600_000.0
LIVE, NOTHING = Answered(5700, 28, 57), Answered()


def recording(minutes: int = 120, live: Answered = LIVE, new: Answered | Sequence[Answered] = NOTHING) -> Recording:
    """Return a recording of equal minutes; of the new version they may be named one by one."""
    news = [new] * minutes if isinstance(new, Answered) else [*new, *[NOTHING] * (minutes - len(new))]
    periods = (Period(START + 60 * index, live, each) for index, each in enumerate(news))
    return Recording("invented", 60, tuple(periods), has_slow=True)
