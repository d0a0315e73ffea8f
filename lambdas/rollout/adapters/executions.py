"""Executions of Step Functions' state machines, by their names."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from lambdas.rollout.adapters.failures import code_of, translated


def arn(machine: str, name: str) -> str:
    """Return the ARN of a machine's execution."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def describe(client: Callable[[], Any], machine: str, name: str) -> Mapping[str, Any] | None:
    """Return what is said of an execution; None when there is none."""
    from botocore.exceptions import ClientError

    with translated():
        try:
            found: Mapping[str, Any] = client().describe_execution(executionArn=arn(machine, name))
        except ClientError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return None
            raise
    return found


def start(client: Callable[[], Any], machine: str, name: str, given: Mapping[str, Any]) -> None:
    """Start an execution; one of that name that is there already is success, whatever became of it."""
    from botocore.exceptions import ClientError

    with translated():
        try:
            client().start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))
        except ClientError as error:
            if code_of(error) != "ExecutionAlreadyExists":
                raise
