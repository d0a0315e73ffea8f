"""How long the loop's demo goes on: until the new version has shown itself, or the record is at its end."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.demo.loop.seen import LoopSeen
from tidegate.demo.loop.stream import DRIFT_ROW, RATE, row_of
from tidegate.demo.openloop import Pace
from tidegate.demo.verdicts import epoch

LOOK_SECONDS = 0.5
AFTERWARDS_SECONDS = 200.0
"""Traffic after the promotion at most: until the monitor has compared a window with the new version's training data."""

Show = Callable[[str, float], None]


def tell(seen: LoopSeen, show: Show, pace: Pace, rows: int) -> None:
    """Let the traffic run, and show what happens.

    Parameters
    ----------
    seen
        What is being recorded.
    show
        Shows the chapter and the present moment.
    pace
        Time.
    rows
        How many rows there are to send.
    """
    last = pace.now() + rows / RATE
    while pace.now() < last and not _over(seen, pace.now()):
        show(chapter(seen), pace.now())
        pace.sleep(LOOK_SECONDS)


def chapter(seen: LoopSeen) -> str:
    """Return what is going on, in words."""
    rollouts, runs = seen.traffic.rollouts, seen.runs
    row = f"row {row_of(len(seen.traffic.requests)):,}"
    if rollouts:
        last = rollouts[-1]
        return f"{row}: {last.version} {'is live' if last.ended else 'takes over, step by step'}"
    if runs:
        return f"{row}: {runs[-1].outcome or 'retraining runs'}"
    if row_of(len(seen.traffic.requests)) < DRIFT_ROW:
        return f"{row}: before the planted drift"
    return f"{row}: the planted drift has begun"


def _over(seen: LoopSeen, now: float) -> bool:
    ended = [epoch(each.ended_at) for each in seen.traffic.rollouts if each.ended_at]
    if not ended:
        return False
    compared = any(epoch(window.start) >= max(ended) for window in seen.windows)
    return compared or now > max(ended) + AFTERWARDS_SECONDS
