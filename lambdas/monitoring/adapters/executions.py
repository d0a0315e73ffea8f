"""Step Functions executions that count windows in parts."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.ports import JobView
from lambdas.rollout.adapters import executions
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import translated

_PART_FAILED = "States.ExceedToleratedFailureThreshold"
_LONGEST_REASON = 1000
_TELLING = ("FailureReason", "ExitMessage", "errorMessage")
"""Fields of a failed Processing job's description, and of a failed function's answer, that say why."""


class StepFunctions:
    """Implements `lambdas.monitoring.ports.Executions`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("stepfunctions")

    def look(self, machine: str, name: str) -> JobView | None:
        """Return how an execution stands; None when there is none."""
        found = executions.describe(self._client, machine, name)
        if found is None:
            return None
        with translated():
            return JobView(found["status"], self._reason(found)[:_LONGEST_REASON])

    def start(self, machine: str, name: str, given: Mapping[str, Any]) -> None:
        """Start an execution; one of that name that is there already is success, whatever became of it."""
        executions.start(self._client, machine, name, given)

    def _reason(self, execution: Mapping[str, Any]) -> str:
        """Return why an execution failed: that a part of it did says nothing, so then why that one did."""
        if execution.get("error") != _PART_FAILED:
            return _told(execution)
        client = self._client()
        for run in client.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]:
            answer = client.list_executions(mapRunArn=run["mapRunArn"], statusFilter="FAILED", maxResults=1)
            for part in answer["executions"]:
                return _told(client.describe_execution(executionArn=part["executionArn"]))
        return _told(execution)


def _told(execution: Mapping[str, Any]) -> str:
    return ": ".join(filter(None, [execution.get("error"), _why(execution.get("cause") or "")]))


def _why(cause: str) -> str:
    """Return the part of a cause that is for people; a job's is all of its description."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    if not isinstance(told, dict):
        return cause
    return "; ".join(str(told[name]) for name in _TELLING if told.get(name)) or cause
