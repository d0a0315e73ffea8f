"""Definitions of pipelines by the documented schema, and short ways to run them."""

import json
import time
from dataclasses import dataclass
from typing import Any

from tests.localcloud.jobs import CLUSTER, LOGS, STORAGE, Jobs, target

PATIENCE_SECONDS = 60.0


def get(reference: str) -> dict[str, str]:
    return {"Get": reference}


def join(*values: Any, on: str = "/") -> dict[str, Any]:
    return {"Std:Join": {"On": on, "Values": list(values)}}


def json_get(step: str, file: str, path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": get(f"Steps.{step}.PropertyFiles.{file}"), "Path": path}}


def definition(*steps: dict[str, Any], parameters: dict[str, Any] | None = None, **more: Any) -> str:
    """Return a definition; a parameter's value is its default, None for none."""
    kinds = {bool: "Boolean", int: "Integer", float: "Float"}
    declared = []
    for name, default in (parameters or {}).items():
        declared.append({"Name": name, "Type": kinds.get(type(default), "String")})
        if default is not None:
            declared[-1]["DefaultValue"] = default
    whole = {"Version": "2020-12-01", "Metadata": {}, "Parameters": declared, "Steps": list(steps), **more}
    return json.dumps(whole)


def lambda_step(name: str, arn: Any, arguments: dict[str, Any] | None = None, *outputs: str, **more: Any) -> Any:
    declared = [{"OutputName": each, "OutputType": "String"} for each in outputs]
    step = {"Name": name, "Type": "Lambda", "FunctionArn": arn, "OutputParameters": declared}
    return {**step, "Arguments": arguments or {}, **more}


def condition_step(name: str, conditions: Any, if_steps: Any = (), else_steps: Any = (), **more: Any) -> Any:
    arguments = {"Conditions": list(conditions), "IfSteps": list(if_steps), "ElseSteps": list(else_steps)}
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **more}


def equals(left: Any, right: Any) -> dict[str, Any]:
    return {"Type": "Equals", "LeftValue": left, "RightValue": right}


def fail_step(name: str, message: Any, **more: Any) -> Any:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}, **more}


def processing_step(name: str, image: str, role: Any, bucket: str | None = None, **more: Any) -> Any:
    """Return a processing step, with the output `out` under `bucket` if that is given."""
    arguments: dict[str, Any] = {
        "ProcessingResources": CLUSTER,
        "AppSpecification": {"ImageUri": image},
        "RoleArn": role,
        **more.pop("Arguments", {}),
    }
    if bucket is not None:
        arguments["ProcessingOutputConfig"] = target("out", f"s3://{bucket}/{name.lower()}")
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}


@dataclass
class Pipelines:
    """Creates and runs pipelines on a cloud."""

    jobs: Jobs

    @property
    def sagemaker(self) -> Any:
        return self.jobs.cloud.client("sagemaker")

    def role(self, *functions: str) -> str:
        """Return a pipeline's role, which may run jobs and invoke functions."""
        runs = {
            "Effect": "Allow",
            "Action": [f"sagemaker:{verb}{kind}Job" for verb in ("Create", "Describe", "Stop")
                       for kind in ("Processing", "Training")],
            "Resource": "*",
        }  # fmt: skip
        passes = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
        invokes = [{"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": list(functions)}]
        return self.jobs.role(STORAGE, LOGS, runs, passes, *(invokes if functions else []))

    def create(self, text: str, role: str | None = None, **more: Any) -> str:
        name = str(self.jobs.workshop.name("pipeline"))
        self.sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=text, RoleArn=role or self.role(), **more)
        return name

    def start(self, name: str, parameters: dict[str, str] | None = None, **more: Any) -> str:
        given = [{"Name": key, "Value": value} for key, value in (parameters or {}).items()]
        answer = self.sagemaker.start_pipeline_execution(PipelineName=name, PipelineParameters=given, **more)
        return str(answer["PipelineExecutionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            if found["PipelineExecutionStatus"] in ("Succeeded", "Failed", "Stopped"):
                return found
            time.sleep(0.05)
        raise AssertionError(f"{found} with {self.steps(execution)}")

    def steps(self, execution: str) -> dict[str, dict[str, Any]]:
        answer = self.sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution, MaxResults=100)
        return {step["StepName"]: step for step in answer["PipelineExecutionSteps"]}

    def run(self, text: str, role: str | None = None, **parameters: str) -> tuple[str, dict[str, Any]]:
        """Create a pipeline, run it once, and return how that ended and its steps."""
        execution = self.start(self.create(text, role), parameters)
        return str(self.ended(execution)["PipelineExecutionStatus"]), self.steps(execution)
