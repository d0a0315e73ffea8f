"""Pipelines and their executions as records."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.services.pipelines.definition import Definition, Step

EXECUTING, STOPPING, STOPPED, FAILED, SUCCEEDED = "Executing", "Stopping", "Stopped", "Failed", "Succeeded"
STARTING = "Starting"
ENDED = frozenset({STOPPED, FAILED, SUCCEEDED})


@dataclass
class Pipeline:
    """A pipeline as it is now; executions keep the definition that they began with."""

    name: str
    arn: str
    role: str
    text: str
    definition: Definition
    created_at: float
    modified_at: float
    created_by: Mapping[str, Any]
    modified_by: Mapping[str, Any]
    described: dict[str, Any] = field(default_factory=dict)
    """Display name, description and parallelism, as they were given."""
    last_run_at: float | None = None


@dataclass
class StepRun:
    """A step that has been begun."""

    step: Step
    status: str
    started_at: float
    ended_at: float | None = None
    attempt: int = 1
    failure_reason: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Execution:
    """One execution; whoever changes it holds `changed`."""

    execution_id: str
    arn: str
    pipeline: Pipeline
    role: str
    text: str
    definition: Definition
    parameters: Mapping[str, Any]
    request: Mapping[str, Any]
    created_at: float
    modified_at: float
    created_by: Mapping[str, Any]
    status: str = EXECUTING
    failure_reason: str | None = None
    ended_at: float | None = None
    steps: dict[str, StepRun] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def most_parallel(self) -> int:
        """Number of steps that may run at a time; 50 unless told otherwise, as on AWS."""
        wanted = self.request.get("ParallelismConfiguration") or self.pipeline.described.get("ParallelismConfiguration")
        return int((wanted or {}).get("MaxParallelExecutionSteps") or 50)
