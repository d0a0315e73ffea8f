"""Executions of the state machine that puts answers under their keys.

Needs states:StartExecution on it (`TIDEGATE_LOAD_MACHINE`), and states:DescribeExecution and states:StopExecution on
its executions.
"""

import os
from collections.abc import Mapping
from typing import Any

from lambdas.contract import ENV_LOAD_MACHINE
from lambdas.inference.batch.said import JobSeen
from lambdas.rollout.adapters import executions
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated
from lambdas.rollout.errors import PermanentError

_LEFT_OUT = "answers are not asked for by key any more: batch.serve was left out after the run began"


class StepFunctions:
    """Implements `lambdas.inference.batch.ports.Executions`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("stepfunctions")

    def see(self, name: str) -> JobSeen | None:
        """Return how an execution stands; None when there is none. Without a state machine, none goes on."""
        if not os.environ.get(ENV_LOAD_MACHINE):
            return JobSeen("ABORTED", _LEFT_OUT)
        found = executions.describe(self._client, _machine(), name)
        if found is None:
            return None
        return JobSeen(found["status"], ": ".join(filter(None, (found.get("error"), found.get("cause")))))

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        """Start an execution; one of that name that is there is taken for it."""
        executions.start(self._client, _machine(), name, given)

    def stop(self, name: str, why: str) -> None:
        """Stop an execution; one that has ended is left as it is."""
        with translated():
            self._client().stop_execution(executionArn=executions.arn(_machine(), name), cause=why)


def _machine() -> str:
    machine = os.environ.get(ENV_LOAD_MACHINE)
    if not machine:
        raise PermanentError(_LEFT_OUT)
    return machine
