"""Looks at every endpoint once a minute, whatever events and timers were lost.

Calls: those of `react` but its queue's; and dynamodb Query on the table and its index, sagemaker ListModelPackages.
"""

from typing import Any

from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import PermanentError
from lambdas.rollout.handlers.wiring import begin, real_ports
from lambdas.rollout.sweeper import Sweeper


def handler(_event: dict[str, Any], context: Any) -> None:
    """Sweep once; what a person must put right fails the invocation, so that it shows in the function's errors."""
    owner = begin(context)
    ports = real_ports()
    faults = Sweeper(ports, Engine(ports, owner)).sweep()
    if faults:
        raise PermanentError("; ".join(faults))
