"""Watches the loop: windows of the monitor, retraining runs, and the labels that are told beside them."""

from __future__ import annotations

from tidegate import drift, retraining
from tidegate.aws import Aws
from tidegate.demo.loop.seen import LoopSeen
from tidegate.demo.loop.truth import EVERY_SECONDS, Truth
from tidegate.demo.recorder import Poller, Pollers
from tidegate.settings import EndpointSettings

LOOK_SECONDS = 2.0


class LoopWatch(Pollers):
    """Fills what was seen of the loop; a context.

    Parameters
    ----------
    aws, endpoint
        What is watched.
    seen
        What is filled.
    truth
        Tells the labels.
    """

    def __init__(self, aws: Aws, endpoint: EndpointSettings, seen: LoopSeen, truth: Truth) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._seen = seen
        self._truth = truth
        note = seen.traffic.observer_errors.append
        super().__init__(
            Poller(self.look_at_windows, LOOK_SECONDS, note),
            Poller(self.look_at_runs, LOOK_SECONDS, note),
            Poller(self.tell_truth, EVERY_SECONDS, note),
        )

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self.look_at_windows()
        self.look_at_runs()

    def look_at_windows(self) -> None:
        """Record the windows as they now stand."""
        self._seen.windows = drift.windows(self._aws, self._endpoint)

    def look_at_runs(self) -> None:
        """Record the retraining runs as they now stand."""
        self._seen.runs = retraining.runs(self._aws, self._endpoint)
        self._seen.trail = retraining.trail(self._aws, self._endpoint)

    def tell_truth(self) -> None:
        """Tell the labels that are due."""
        self._truth.tell()
        self._seen.labels = self._truth.told
