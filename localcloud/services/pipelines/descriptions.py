"""Pipelines, executions and steps as the API shows them."""

from typing import Any

from localcloud.physics.times import to_datetime
from localcloud.services.pipelines.records import Execution, Pipeline, StepRun


def pipeline(item: Pipeline) -> dict[str, Any]:
    """Return what DescribePipeline answers."""
    answer = {
        "PipelineArn": item.arn,
        "PipelineName": item.name,
        "PipelineDisplayName": item.name,
        "PipelineDefinition": item.text,
        "RoleArn": item.role,
        "PipelineStatus": "Active",
        "CreationTime": to_datetime(item.created_at),
        "LastModifiedTime": to_datetime(item.modified_at),
        "CreatedBy": item.created_by,
        "LastModifiedBy": item.modified_by,
        **item.described,
    }
    return {**answer, "LastRunTime": to_datetime(item.last_run_at)} if item.last_run_at is not None else answer


def pipeline_summary(item: Pipeline) -> dict[str, Any]:
    """Return what ListPipelines answers."""
    described = pipeline(item)
    names = (
        "PipelineArn", "PipelineName", "PipelineDisplayName", "PipelineDescription", "RoleArn", "CreationTime",
        "LastModifiedTime",
    )  # fmt: skip
    answer = {name: described[name] for name in names if name in described}
    return {**answer, "LastExecutionTime": described["LastRunTime"]} if "LastRunTime" in described else answer


def execution(item: Execution) -> dict[str, Any]:
    """Return what DescribePipelineExecution answers."""
    with item.changed:
        answer = {
            "PipelineArn": item.pipeline.arn,
            "PipelineExecutionArn": item.arn,
            "PipelineExecutionDisplayName": _display_name(item),
            "PipelineExecutionStatus": item.status,
            "CreationTime": to_datetime(item.created_at),
            "LastModifiedTime": to_datetime(item.modified_at),
            "CreatedBy": item.created_by,
            "LastModifiedBy": item.created_by,
        }
        for name in ("PipelineExecutionDescription", "ParallelismConfiguration"):
            if item.request.get(name):
                answer[name] = item.request[name]
        return {**answer, "FailureReason": item.failure_reason} if item.failure_reason else answer


def execution_summary(item: Execution) -> dict[str, Any]:
    """Return what ListPipelineExecutions answers."""
    described = execution(item)
    names = (
        "PipelineExecutionArn", "PipelineExecutionStatus", "PipelineExecutionDescription",
        "PipelineExecutionDisplayName",
    )  # fmt: skip
    answer = {name: described[name] for name in names if name in described}
    if "FailureReason" in described:
        answer["PipelineExecutionFailureReason"] = described["FailureReason"]
    return {**answer, "StartTime": described["CreationTime"]}


def definition(item: Execution) -> dict[str, Any]:
    """Return what DescribePipelineDefinitionForExecution answers."""
    return {"PipelineDefinition": item.text, "CreationTime": to_datetime(item.created_at)}


def step(run: StepRun) -> dict[str, Any]:
    """Return what ListPipelineExecutionSteps answers."""
    answer: dict[str, Any] = {
        "StepName": run.step.name,
        "StartTime": to_datetime(run.started_at),
        "StepStatus": run.status,
        "Metadata": run.metadata,
        "AttemptCount": run.attempt,
    }
    optional = {
        "StepDisplayName": run.step.display_name,
        "StepDescription": run.step.description,
        "EndTime": to_datetime(run.ended_at) if run.ended_at is not None else None,
        "FailureReason": run.failure_reason,
    }
    return {**answer, **{name: value for name, value in optional.items() if value is not None}}


def parameter(item: tuple[str, Any]) -> dict[str, Any]:
    """Return what ListPipelineParametersForExecution answers."""
    name, value = item
    return {"Name": name, "Value": str(value).lower() if isinstance(value, bool) else str(value)}


def _display_name(item: Execution) -> str:
    """Return the display name; one that is not given is made of the moment, as SageMaker makes it."""
    return str(item.request.get("PipelineExecutionDisplayName") or f"execution-{int(item.created_at * 1000)}")
