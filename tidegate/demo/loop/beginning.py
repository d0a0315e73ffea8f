"""When the traffic begins: once the monitor runs, at the start of one of its windows."""

from __future__ import annotations

import json

from lambdas import contract
from tidegate import drift
from tidegate.aws import Aws
from tidegate.demo.openloop import Pace
from tidegate.errors import OperatorError
from tidegate.settings import EndpointSettings

LOOK_SECONDS = 1.0
LONGEST_SECONDS = 180.0
WINDOW_SECONDS = 60.0


def wait(aws: Aws, endpoint: EndpointSettings, pace: Pace) -> None:
    """Wait until the monitor's schedule has started it, and then for the next window to begin.

    The first run of the monitor sets where it begins: traffic sent before would be in no window.
    """
    given_up = pace.now() + LONGEST_SECONDS
    while not drift.has_begun(aws, endpoint):
        if pace.now() > given_up:
            raise OperatorError(
                f"the monitor of {endpoint.name} did not run within {LONGEST_SECONDS:.0f} s",
                "see the local cloud's log beside the report",
            )
        pace.sleep(LOOK_SECONDS)
    pace.sleep(WINDOW_SECONDS - pace.now() % WINDOW_SECONDS)


def champion(aws: Aws, endpoint: EndpointSettings) -> str:
    """Return the version that the template brought, as its file names it."""
    name = contract.monitoring_parameter(endpoint.environment, endpoint.name)
    settings = json.loads(aws.ssm.get_parameter(Name=name)["Parameter"]["Value"])
    return str(settings["bootstrap_version"])
