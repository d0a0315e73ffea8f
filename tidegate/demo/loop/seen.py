"""What the demo of the loop saw; every record is an answer that somebody gave."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.demo.loop.stream import DRIFT_ROW, row_of
from tidegate.demo.observations import Observations
from tidegate.demo.verdicts import epoch
from tidegate.drift import Window
from tidegate.retraining import Entry, Run


@dataclass
class LoopSeen:
    """All that was seen of one run of the loop.

    Parameters
    ----------
    traffic
        Requests, the endpoint, and its rollouts.
    windows
        What the drift monitor found, oldest first.
    runs
        Retraining runs, oldest first.
    trail
        What was decided about retraining, oldest first.
    labels
        How many labels were told.
    """

    traffic: Observations
    windows: list[Window] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    labels: int = 0
    trail: list[Entry] = field(default_factory=list)

    @property
    def drift_at(self) -> float | None:
        """When the first row with the planted drift was due (epoch seconds); None if it was not reached."""
        due = (r.due for r in self.traffic.requests if row_of(r.index) == DRIFT_ROW)
        return next(due, None)

    def before_drift(self) -> list[Window]:
        """Return the windows that end before the planted drift begins."""
        at = self.drift_at
        return [each for each in self.windows if at is None or epoch(each.end) <= at]

    def after_drift(self) -> list[Window]:
        """Return the windows that lie wholly in the planted drift."""
        at = self.drift_at
        return [each for each in self.windows if at is not None and epoch(each.start) >= at]

    def news(self) -> list[str]:
        """Return what the monitor and retraining have to tell, in the order of time."""
        told = [(epoch(each.end), _told(each)) for each in self.windows if each.rows]
        told += [(epoch(each.at), f"retraining: {each.text}") for each in self.trail]
        return [text for _, text in sorted(told)]


def _told(window: Window) -> str:
    moved = sorted(window.psi.items(), key=lambda one: -one[1])[: len(window.drifted)]
    named = ", ".join(f"{name} {psi:.2f}" for name, psi in moved[:4])
    return f"window of {window.start[11:16]}: {window.severity}, {window.rows} rows{f'; PSI: {named}' if named else ''}"
