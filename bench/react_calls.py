"""The AWS calls that one invocation of `react` makes, recorded in a process like its function's."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import boto3

from bench.cloud import ENDPOINT, Cloud
from bench.errors import BenchError
from lambdas.contract import unhealthy_alarm
from stacks.config import ROOT

AT_REST = {"source": "aws.cloudwatch", "detail": {"alarmName": unhealthy_alarm(ENDPOINT, "blue")}}
"""An event about an endpoint on which nothing is under way."""

NOTHING_TO_DO = {"source": "aws.cloudwatch", "detail": {"alarmName": "somebody-elses"}}
"""An event that `react` leaves alone: no AWS call is made."""


class RecordingError(BenchError):
    """The calls could not be recorded."""


def record(cloud: Cloud) -> list[dict[str, Any]]:
    """Run the handler in a process with its function's environment and return its calls."""
    environment = {**os.environ, **cloud.functions["react"].environment}
    command = [sys.executable, "-m", "bench.react_calls"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RecordingError(f"react failed while its calls were recorded:\n{done.stdout}{done.stderr}")
    calls: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return calls


def main() -> None:
    """Run the handler here, printing its calls as JSON."""
    calls: list[dict[str, Any]] = []

    def note(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        service = model.service_model.service_name
        calls.append({"service": service, "operation": model.name, "parameters": dict(params)})

    boto3.setup_default_session()
    events: Any = boto3._get_default_session().events
    events.register("provide-client-params.*.*", note)
    from lambdas.rollout.handlers import react

    react.handler(dict(AT_REST), SimpleNamespace(aws_request_id="bench"))
    print(json.dumps(calls))


if __name__ == "__main__":
    main()
