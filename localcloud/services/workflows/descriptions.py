"""State machines, executions and map runs as the API shows them."""

from typing import Any

from localcloud.physics.times import to_datetime
from localcloud.services.workflows.records import Execution, Machine, MapRun


def machine(item: Machine) -> dict[str, Any]:
    """Return what DescribeStateMachine answers."""
    return {
        "stateMachineArn": item.arn,
        "name": item.name,
        "status": "ACTIVE",
        "definition": item.text,
        "roleArn": item.role,
        "type": "STANDARD",
        "creationDate": to_datetime(item.created_at),
        "revisionId": item.revision,
        **item.settings,
    }


def execution(item: Execution) -> dict[str, Any]:
    """Return what DescribeExecution answers."""
    with item.lock:
        answer = {
            **_summary(item),
            "input": item.given,
            "inputDetails": {"included": True},
            "output": item.output,
            "outputDetails": {"included": True} if item.output is not None else None,
            "error": item.error,
            "cause": item.cause,
            "redriveCount": 0,
        }
    return {name: value for name, value in answer.items() if value is not None}


def execution_summary(item: Execution) -> dict[str, Any]:
    """Return what ListExecutions answers."""
    with item.lock:
        return {name: value for name, value in _summary(item).items() if value is not None}


def map_run(item: MapRun) -> dict[str, Any]:
    """Return what ListMapRuns answers."""
    answer = {
        "mapRunArn": item.arn,
        "executionArn": item.execution_arn,
        "stateMachineArn": item.machine_arn,
        "startDate": to_datetime(item.started_at),
    }
    return {**answer, "stopDate": to_datetime(item.stopped_at)} if item.stopped_at is not None else answer


def _summary(item: Execution) -> dict[str, Any]:
    return {
        "executionArn": item.arn,
        "stateMachineArn": item.machine.arn,
        "name": item.name,
        "status": item.status,
        "startDate": to_datetime(item.started_at),
        "stopDate": to_datetime(item.stopped_at) if item.stopped_at is not None else None,
        "mapRunArn": item.map_run.arn if item.map_run is not None else None,
    }
