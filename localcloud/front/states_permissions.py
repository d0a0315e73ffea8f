"""Permissions of Step Functions operations, whose actions are those of ``states``."""

from localcloud.front.permissions import Need, Params, Rule, Scope, Table


def _named(operation: str, parameter: str) -> Rule:
    return lambda params, _scope: [Need(f"states:{operation}", str(params[parameter]))]


def _executions(params: Params, _scope: Scope) -> list[Need]:
    """Return the permission to list the executions of a state machine or of a map run."""
    return [Need("states:ListExecutions", str(params.get("mapRunArn") or params["stateMachineArn"]))]


STATES: Table = {
    "stepfunctions:DescribeStateMachine": _named("DescribeStateMachine", "stateMachineArn"),
    "stepfunctions:StartExecution": _named("StartExecution", "stateMachineArn"),
    **{
        f"stepfunctions:{name}": _named(name, "executionArn")
        for name in ("DescribeExecution", "StopExecution", "ListMapRuns")
    },
    "stepfunctions:ListExecutions": _executions,
}
