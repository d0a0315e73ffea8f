"""Looks at every endpoint once a minute, whatever events and timers were lost.

Calls: those of `react` but its queue's; and dynamodb Query on the table's index, sagemaker ListModelPackages.
"""

from typing import Any

from lambdas.rollout.crew import side_by_side
from lambdas.rollout.engine import Engine
from lambdas.rollout.handlers.faults import report
from lambdas.rollout.handlers.wiring import begin, real_ports
from lambdas.rollout.sweeper import Sweeper


def handler(_event: dict[str, Any], context: Any) -> None:
    """Sweep once.

    What a person must put right about an endpoint is logged and counted. Only a sweep that could not run at all fails
    the invocation: a fault that lasts must not hide that nothing is swept any more.
    """
    owner = begin(context)
    ports = real_ports()
    report(Sweeper(ports, Engine(ports, owner), side_by_side).sweep())
