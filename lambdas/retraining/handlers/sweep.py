"""Looks at every endpoint's retraining once a minute, whatever events were lost: schedules, runs, what waits.

Calls: those of `retrain` but its queue's.
"""

from typing import Any

from lambdas.retraining.handlers.wiring import begin
from lambdas.rollout.handlers.faults import report
from lambdas.rollout.sweeper import Fault


def handler(_event: dict[str, Any], context: Any) -> None:
    """Sweep once. What a person must put right is counted; only a sweep that could not run at all fails."""
    report([Fault(endpoint, reason) for endpoint, reason in begin(context).sweep()])
