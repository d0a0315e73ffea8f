"""SageMaker's API for pipelines and their executions."""

import random
import string
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from localcloud.clock import Clock
from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.paging import page
from localcloud.physics.ports import EventSink, ObjectMissingError
from localcloud.physics.times import to_epoch
from localcloud.service import Service, operation
from localcloud.services.accepted import ANY, refuse_others
from localcloud.services.jobs.job_service import JobService
from localcloud.services.pipelines import descriptions, order
from localcloud.services.pipelines.definition import Definition, parse
from localcloud.services.pipelines.events import PipelineEvents
from localcloud.services.pipelines.executor import Executor, stop
from localcloud.services.pipelines.once import Once
from localcloud.services.pipelines.parameters import bind
from localcloud.services.pipelines.records import ENDED, Execution, Pipeline
from localcloud.services.registry.packages import caller
from localcloud.services.role_access import RoleAccess

Params = Mapping[str, Any]
Item = TypeVar("Item")
_DEFAULT_PAGE = 10
_SECONDS_TO_CLOSE = 3.0
_KEPT = ("PipelineDisplayName", "PipelineDescription", "ParallelismConfiguration")
_WRITTEN = dict.fromkeys(
    (
        "PipelineName",
        "PipelineDefinition",
        "PipelineDefinitionS3Location",
        "ClientRequestToken",
        "RoleArn",
        "Tags",
        *_KEPT,
    ),
    ANY,
)
_STARTED = dict.fromkeys(
    (
        "PipelineName",
        "PipelineExecutionDisplayName",
        "PipelineParameters",
        "PipelineExecutionDescription",
        "ClientRequestToken",
        "ParallelismConfiguration",
    ),
    ANY,
)


class PipelineService(Service):
    """Pipelines and their executions.

    Parameters
    ----------
    jobs
        Where the jobs of steps run.
    roles
        Opens sessions of the pipelines' roles.
    clock
        Time.
    account, region
        For ARNs.
    emit
        EventBridge.
    fetch
        Returns the object at an ``s3://`` URI, for definitions that lie there.
    tags
        Keeps tags of SageMaker's resources, by ARN.
    """

    name: ClassVar[str] = "sagemaker"

    def __init__(
        self,
        jobs: JobService,
        roles: RoleAccess,
        clock: Clock,
        *,
        account: str,
        region: str,
        emit: EventSink,
        fetch: Callable[[str], bytes],
        tags: dict[str, dict[str, str]],
    ) -> None:
        self._jobs = jobs
        self._roles = roles
        self._clock = clock
        self._prefix = f"arn:aws:sagemaker:{region}:{account}:pipeline/"
        self._events = PipelineEvents(emit)
        self._fetch = fetch
        self._tags = tags
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._pipelines: dict[str, Pipeline] = {}
        self._executions: dict[str, Execution] = {}
        self._once = Once()
        self._threads: list[threading.Thread] = []

    @operation("CreatePipeline")
    def create_pipeline(self, params: Params) -> dict[str, Any]:
        """Create a pipeline from a definition that is checked first."""
        refuse_others("CreatePipeline", params, _WRITTEN)
        return self._once.answer("CreatePipeline", params, lambda: self._create(params))

    def _create(self, params: Params) -> dict[str, Any]:
        text, definition = self._definition(params)
        name, now = params["PipelineName"], self._clock.now()
        arn = self._prefix + name.lower()
        if any(each.arn == arn for each in self._pipelines.values()):
            unique = "Pipeline names must be unique within an AWS account and region."
            raise AwsError("ValidationException", f"{unique} Pipeline with name ({name}) already exists.")
        described = {key: params[key] for key in _KEPT if key in params}
        who = caller()
        self._pipelines[name] = Pipeline(name, arn, params["RoleArn"], text, definition, now, now, who, who, described)
        self._tags[arn] = {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}
        return {"PipelineArn": arn}

    @operation("UpdatePipeline")
    def update_pipeline(self, params: Params) -> dict[str, Any]:
        """Change a pipeline; executions that have begun go on with what they began with."""
        refuse_others("UpdatePipeline", params, _WRITTEN)
        with self._lock:
            pipeline = self._pipeline(params["PipelineName"])
            if "PipelineDefinition" in params or "PipelineDefinitionS3Location" in params:
                pipeline.text, pipeline.definition = self._definition(params)
            pipeline.role = params.get("RoleArn", pipeline.role)
            pipeline.described |= {key: params[key] for key in _KEPT if key in params}
            pipeline.modified_at, pipeline.modified_by = self._clock.now(), caller()
            return {"PipelineArn": pipeline.arn}

    @operation("DescribePipeline")
    def describe_pipeline(self, params: Params) -> dict[str, Any]:
        """Describe a pipeline."""
        refuse_others("DescribePipeline", params, {"PipelineName": ANY})
        with self._lock:
            return descriptions.pipeline(self._pipeline(params["PipelineName"]))

    @operation("ListPipelines")
    def list_pipelines(self, params: Params) -> dict[str, Any]:
        """List pipelines."""
        with self._lock:
            pipelines = list(self._pipelines.values())
        found = [each for each in pipelines if each.name.startswith(params.get("PipelineNamePrefix") or "")]
        chosen = [each for each in found if _created_within(each.created_at, params)]
        chosen.sort(key=lambda each: each.name if params.get("SortBy") == "Name" else f"{each.created_at:020.6f}")
        return _page("PipelineSummaries", chosen, params, descriptions.pipeline_summary)

    @operation("DeletePipeline")
    def delete_pipeline(self, params: Params) -> dict[str, Any]:
        """Delete a pipeline that has no running executions, and its executions with it."""
        return self._once.answer("DeletePipeline", params, lambda: self._delete(params["PipelineName"]))

    def _delete(self, name: str) -> dict[str, Any]:
        pipeline = self._pipeline(name)
        executions = [each for each in self._executions.values() if each.pipeline is pipeline]
        running = [each.arn for each in executions if each.status not in ENDED]
        if running:
            message = f"Pipeline {pipeline.arn} has running executions; stop them first: {', '.join(running)}"
            raise AwsError("ConflictException", message)
        for execution in executions:
            del self._executions[execution.arn]
        del self._pipelines[pipeline.name]
        self._tags.pop(pipeline.arn, None)
        return {"PipelineArn": pipeline.arn}

    @operation("StartPipelineExecution")
    def start_execution(self, params: Params) -> dict[str, Any]:
        """Begin an execution, once for each token."""
        refuse_others("StartPipelineExecution", params, _STARTED)
        return self._once.answer("StartPipelineExecution", params, lambda: self._start(params))

    def _start(self, params: Params) -> dict[str, Any]:
        pipeline = self._pipeline(params["PipelineName"])
        values = bind(pipeline.definition.parameters, params.get("PipelineParameters") or ())
        identifier = "".join(random.choices(string.ascii_lowercase + string.digits, k=12))
        arn, now = f"{pipeline.arn}/execution/{identifier}", self._clock.now()
        execution = Execution(
            identifier, arn, pipeline, pipeline.role, pipeline.text, pipeline.definition, values, params, now, now,
            caller(),
        )  # fmt: skip
        self._executions[arn] = execution
        pipeline.last_run_at = now
        executor = Executor(execution, self._roles, self._jobs, self._clock, self._events, self._closed)
        thread = threading.Thread(target=executor.run, name=f"pipeline {pipeline.name} {identifier}", daemon=True)
        self._threads = [*(each for each in self._threads if each.is_alive()), thread]
        thread.start()
        return {"PipelineExecutionArn": arn}

    @operation("StopPipelineExecution")
    def stop_execution(self, params: Params) -> dict[str, Any]:
        """Begin to stop an execution: its jobs are stopped, its functions are waited for."""
        execution = self._execution(params)
        if not stop(execution, self._clock.now, self._events):
            message = f"{execution.arn} is {execution.status}: only an execution that is Executing can be stopped"
            raise AwsError("ConflictException", message)
        return {"PipelineExecutionArn": execution.arn}

    @operation("DescribePipelineExecution")
    def describe_execution(self, params: Params) -> dict[str, Any]:
        """Describe an execution."""
        return descriptions.execution(self._execution(params))

    @operation("DescribePipelineDefinitionForExecution")
    def describe_definition(self, params: Params) -> dict[str, Any]:
        """Return the definition that an execution began with."""
        return descriptions.definition(self._execution(params))

    @operation("ListPipelineExecutions")
    def list_executions(self, params: Params) -> dict[str, Any]:
        """List the executions of a pipeline."""
        if params.get("PipelineVersionAlias"):
            raise NotSimulatedError("versions of pipelines (PipelineVersionAlias)")
        with self._lock:
            pipeline = self._pipeline(params["PipelineName"])
            found = [each for each in self._executions.values() if each.pipeline is pipeline]
        chosen = [each for each in found if _created_within(each.created_at, params)]
        if params.get("SortBy") == "PipelineExecutionArn":
            chosen.sort(key=lambda each: each.arn)
        return _page("PipelineExecutionSummaries", chosen, params, descriptions.execution_summary)

    @operation("ListPipelineExecutionSteps")
    def list_steps(self, params: Params) -> dict[str, Any]:
        """List the steps of an execution that have begun."""
        execution = self._execution(params)
        with execution.changed:
            runs = list(execution.steps.values())
            return _page("PipelineExecutionSteps", runs, params, descriptions.step)

    @operation("ListPipelineParametersForExecution")
    def list_parameters(self, params: Params) -> dict[str, Any]:
        """List the values of an execution's parameters."""
        values = list(self._execution(params).parameters.items())
        return _page("PipelineParameters", values, {**params, "SortOrder": "Ascending"}, descriptions.parameter)

    def close(self) -> None:
        """Begin nothing more, and wait a little for what goes on."""
        self._closed.set()
        deadline = time.monotonic() + _SECONDS_TO_CLOSE
        for execution in list(self._executions.values()):
            with execution.changed:
                execution.changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _definition(self, params: Params) -> tuple[str, Definition]:
        text = self._text(params)
        definition = parse(text)
        order.check(definition)
        return text, definition

    def _text(self, params: Params) -> str:
        text, place = params.get("PipelineDefinition"), params.get("PipelineDefinitionS3Location")
        if bool(text) == bool(place):
            message = "One of PipelineDefinition and PipelineDefinitionS3Location must be given"
            raise AwsError("ValidationException", message)
        if text:
            return str(text)
        refuse_others("PipelineDefinitionS3Location", place or {}, {"Bucket": ANY, "ObjectKey": ANY})
        uri = f"s3://{place['Bucket']}/{place['ObjectKey']}" if place else ""
        try:
            return self._fetch(uri).decode()
        except ObjectMissingError as missing:
            raise AwsError("ValidationException", f"There is no pipeline definition at {uri}") from missing

    def _pipeline(self, name: str) -> Pipeline:
        short = name.removeprefix(self._prefix)
        found = next((each for each in self._pipelines.values() if short in (each.name, each.name.lower())), None)
        if found is None:
            raise AwsError("ResourceNotFound", f"Pipeline '{self._prefix}{short.lower()}' does not exist.")
        return found

    def _execution(self, params: Params) -> Execution:
        with self._lock:
            found = self._executions.get(params.get("PipelineExecutionArn", ""))
        if found is None:
            raise AwsError(
                "ResourceNotFound", f"PipelineExecution '{params.get('PipelineExecutionArn')}' does not exist."
            )
        return found


def _created_within(at: float, params: Params) -> bool:
    after, before = params.get("CreatedAfter"), params.get("CreatedBefore")
    return (after is None or at > to_epoch(after)) and (before is None or at < to_epoch(before))


def _page(
    key: str, items: Sequence[Item], params: Params, describe: Callable[[Item], dict[str, Any]]
) -> dict[str, Any]:
    """Return one page; the items come in ascending order, and the newest are shown first unless asked otherwise."""
    ordered = list(items) if params.get("SortOrder") == "Ascending" else list(reversed(items))
    chosen, token = page(ordered, params.get("NextToken"), int(params.get("MaxResults") or _DEFAULT_PAGE))
    answer: dict[str, Any] = {key: [describe(item) for item in chosen]}
    return {**answer, "NextToken": token} if token else answer
