"""Events of executions and their steps, in the form that SageMaker's guide shows."""

from datetime import UTC, datetime
from typing import Any

from localcloud.physics.ports import EventSink
from localcloud.services.pipelines.records import Execution, StepRun

EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


class PipelineEvents:
    """Tells EventBridge.

    Parameters
    ----------
    emit
        EventBridge.
    """

    def __init__(self, emit: EventSink) -> None:
        self._emit = emit

    def execution(self, execution: Execution, before: str | None) -> None:
        """Tell of a change of an execution's status."""
        request = execution.request
        detail: dict[str, Any] = {
            "pipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName"),
            "currentPipelineExecutionStatus": execution.status,
            "previousPipelineExecutionStatus": before,
            "executionStartTime": _iso(execution.created_at),
            "executionEndTime": _iso(execution.ended_at),
            "pipelineExecutionDescription": request.get("PipelineExecutionDescription"),
        }
        self._send(EXECUTION_EVENT, execution, detail)

    def step(self, execution: Execution, run: StepRun, before: str | None) -> None:
        """Tell of a change of a step's status."""
        detail: dict[str, Any] = {
            "metadata": _lower(run.metadata),
            "stepStartTime": _iso(run.started_at),
            "stepEndTime": _iso(run.ended_at),
            "stepName": run.step.name,
            "stepType": run.step.type,
            "previousStepStatus": before,
            "currentStepStatus": run.status,
            "failureReason": run.failure_reason,
        }
        self._send(STEP_EVENT, execution, detail)

    def _send(self, kind: str, execution: Execution, detail: dict[str, Any]) -> None:
        pipeline = execution.pipeline.arn
        where = {"pipelineArn": pipeline, "pipelineExecutionArn": execution.arn}
        told = {key: value for key, value in detail.items() if value is not None}
        self._emit("aws.sagemaker", kind, {**told, **where}, [pipeline, execution.arn])


def _lower(value: Any) -> Any:
    """Return metadata with keys as events write them: ``processingJob``."""
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: _lower(item) for key, item in value.items()}
    return [_lower(item) for item in value] if isinstance(value, list) else value


def _iso(epoch: float | None) -> str | None:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if epoch is not None else None
