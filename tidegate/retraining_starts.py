"""What becomes of a run in the seconds after it was ordered: it runs, or has ended, or is still to be started."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.retraining.state import Outcome, Status
from tidegate import retraining
from tidegate.answers import LOOK_SECONDS, Pace
from tidegate.aws import Aws
from tidegate.settings import EndpointSettings

LONGEST_SECONDS = 8.0


@dataclass(frozen=True)
class Start:
    """How a run stands: ``INTENDED``, ``RUNNING`` or its outcome; and that in words."""

    status: str
    text: str

    @property
    def failed(self) -> bool:
        """Return whether the run has failed already."""
        return self.status == Outcome.FAILED.value


def follow(aws: Aws, endpoint: EndpointSettings, run: str, pace: Pace) -> Start:
    """Wait some seconds for a run to be running or ended; return how it stands then."""
    deadline = pace.now() + LONGEST_SECONDS
    while (found := _look(aws, endpoint, run)).status == Status.INTENDED.value and pace.now() < deadline:
        pace.sleep(LOOK_SECONDS)
    return found


def _look(aws: Aws, endpoint: EndpointSettings, run: str) -> Start:
    present = retraining.load(aws, endpoint).run
    if present is not None and present.id == run and present.status is Status.RUNNING:
        return Start(present.status.value, f"It runs: {present.execution}.")
    ended = next((each for each in retraining.runs(aws, endpoint) if each.id == run and each.ended), None)
    if ended is not None:
        return Start(ended.outcome, ended.text)
    problem = f" ({present.problem})" if present is not None and present.id == run and present.problem else ""
    again = endpoint.command("retrain status")
    return Start(Status.INTENDED.value, f"It has not been started yet{problem}; see: {again}")
