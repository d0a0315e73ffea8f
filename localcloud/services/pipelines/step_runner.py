"""What each type of step does, in the name of the pipeline's role."""

import json
import random
import string
import threading
from collections.abc import Callable, Mapping
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from localcloud.clock import Clock
from localcloud.physics.times import to_datetime
from localcloud.services.jobs.job_service import JobService
from localcloud.services.pipelines import conditions
from localcloud.services.pipelines.definition import JOB_LABELS, Step
from localcloud.services.pipelines.expressions import ExpressionError, Resolver, look_up
from localcloud.services.pipelines.records import EXECUTING, Execution, StepRun
from localcloud.services.pipelines.retries import SERVICE_FAULT, of_api_error, of_failure_reason
from localcloud.services.role_access import RoleSession

_LOOK_SECONDS = 0.1
_LAMBDA_SECONDS = 600  # the longest that a Lambda step may take ("Amazon SageMaker Pipelines quotas")
_LONGEST_STEP_IN_NAME = 28
_ALPHABET = string.ascii_letters + string.digits


class StepFailedError(Exception):
    """The step fails.

    Parameters
    ----------
    reason
        Its FailureReason.
    kind
        Exception type that a retry policy may name.
    """

    def __init__(self, reason: str, kind: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class StepStoppedError(Exception):
    """The step ends because the execution is being stopped."""


class StepRunner:
    """Runs the steps of one execution, several at a time.

    Parameters
    ----------
    execution
        The execution.
    session
        Session of the pipeline's role.
    jobs
        Where jobs run.
    clock
        Time.
    closed
        Set when the local cloud stops.
    show
        Called with a step's status, after what is known of it has been put down.
    """

    def __init__(
        self,
        execution: Execution,
        session: RoleSession,
        jobs: JobService,
        clock: Clock,
        closed: threading.Event,
        show: Callable[[StepRun, str], None],
    ) -> None:
        self._execution = execution
        self._session = session
        self._jobs = jobs
        self._clock = clock
        self._closed = closed
        self._show = show
        self._sagemaker = session.client("sagemaker")
        self._s3 = session.client("s3")
        # One attempt: what a function does must not be done twice behind the step's back.
        self._lambda = session.client("lambda", answer_seconds=_LAMBDA_SECONDS, attempts=1)

    def run(self, run: StepRun) -> None:
        """Run a step once; raise `StepFailedError` or `StepStoppedError` when it does not succeed."""
        try:
            _RUNNERS[run.step.type](self, run)
        except ExpressionError as error:
            raise StepFailedError(f"ClientError: {error}") from error
        except ClientError as error:
            told = error.response["Error"]
            status = int(error.response["ResponseMetadata"].get("HTTPStatusCode", 0))
            code = str(told.get("Code"))
            raise StepFailedError(f"{code}: {told.get('Message')}", of_api_error(code, status)) from error
        except BotoCoreError as error:
            # A request that cannot be written is the definition's fault; one that nobody answers is the service's.
            invalid = type(error).__name__ == "ParamValidationError"
            raise StepFailedError(f"ClientError: {error}", None if invalid else SERVICE_FAULT) from error

    def _job(self, run: StepRun) -> None:
        step, label = run.step, JOB_LABELS[run.step.type]
        name = self._job_name(step)
        resolver = self._resolver({f"{label}Name": name})
        arguments = resolver.resolve(step.arguments)
        create = getattr(self._sagemaker, xform_name(f"Create{label}"))
        run.metadata = {label: {"Arn": create(**{**arguments, f"{label}Name": name})[f"{label}Arn"]}}
        self._show(run, EXECUTING)
        self._wait_for(label, name)
        run.properties = self._jobs.operations()[f"Describe{label}"]({f"{label}Name": name}) or {}
        status = run.properties[f"{label}Status"]
        if status == "Completed":
            return
        if self._execution.stopping.is_set():
            raise StepStoppedError
        reason = run.properties.get("FailureReason") or f"ClientError: The job {name} was stopped: it is {status}"
        raise StepFailedError(reason, of_failure_reason(reason))

    def _wait_for(self, label: str, name: str) -> None:
        """Wait for the end of a job, and stop it once the execution is being stopped."""
        asked = False
        while not self._jobs.wait(label, name, _LOOK_SECONDS):
            if self._closed.is_set():
                raise StepStoppedError
            if self._execution.stopping.is_set() and not asked:
                asked = True
                getattr(self._sagemaker, xform_name(f"Stop{label}"))(**{f"{label}Name": name})

    def _function(self, run: StepRun) -> None:
        step, resolver = run.step, self._resolver({})
        arn = str(resolver.resolve(step.function_arn))
        run.metadata = {"Lambda": {"Arn": arn}}
        self._show(run, EXECUTING)
        payload = json.dumps(resolver.resolve(step.arguments)).encode()
        answer = self._lambda.invoke(FunctionName=arn, InvocationType="RequestResponse", Payload=payload)
        body = answer["Payload"].read().decode(errors="replace")
        if answer.get("FunctionError"):
            raise StepFailedError(f"ClientError: Lambda function {arn} failed: {_function_error(body)}")
        outputs = _outputs(step, body)
        run.properties = {"OutputParameters": outputs}
        shown = [{"Name": name, "Value": str(value)} for name, value in outputs.items()]
        run.metadata = {"Lambda": {"Arn": arn, "OutputParameters": shown}}

    def _condition(self, run: StepRun) -> None:
        self._show(run, EXECUTING)
        resolver = self._resolver({})
        outcome = all(conditions.holds(each, resolver.resolve) for each in run.step.arguments["Conditions"])
        run.properties = {"Outcome": str(outcome)}
        run.metadata = {"Condition": {"Outcome": str(outcome)}}

    def _fail(self, run: StepRun) -> None:
        self._show(run, EXECUTING)
        message = str(self._resolver({}).resolve(run.step.arguments["ErrorMessage"]))
        run.metadata = {"Fail": {"ErrorMessage": message}}
        raise StepFailedError(message)

    def _resolver(self, names: Mapping[str, str]) -> Resolver:
        execution = self._execution
        known = {
            "StartDateTime": to_datetime(execution.created_at).isoformat(),
            "PipelineName": execution.pipeline.name,
            "PipelineArn": execution.pipeline.arn,
            "PipelineExecutionId": execution.execution_id,
            "PipelineExecutionArn": execution.arn,
            **names,
        }

        def variable(name: str) -> str:
            if name == "CurrentDateTime":
                return to_datetime(self._clock.now()).isoformat()
            if name not in known:
                raise ExpressionError(f"Execution.{name} has no value in a step of this type")
            return known[name]

        return Resolver(execution.parameters, variable, self._properties, self._document)

    def _properties(self, name: str) -> Mapping[str, Any]:
        run = self._execution.steps.get(name)
        if run is None or run.status != "Succeeded":
            raise ExpressionError(f"the step {name} has not run, so that it has no properties")
        return run.properties

    def _document(self, step: str | None, name: str) -> Any:
        uri = name if step is None else self._property_file(step, name)
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        body = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        try:
            return json.loads(body)
        except ValueError as error:
            raise ExpressionError(f"{uri} is not JSON: {error}") from error

    def _property_file(self, step: str, name: str) -> str:
        file = self._execution.definition.steps[step].property_files[name]
        whole = f"the output {file.output} of the step {step}"
        path: list[str | int] = ["ProcessingOutputConfig", "Outputs", file.output, "S3Output", "S3Uri"]
        uri = str(look_up(self._properties(step), path, whole))
        return f"{uri.rstrip('/')}/{file.path}"

    def _job_name(self, step: Step) -> str:
        """Return a name as SageMaker makes it: ``pipelines-4r83jejmhorv-TrainAbaloneModel-xw869y8C4a``."""
        ending = "".join(random.choices(_ALPHABET, k=10))
        middle = step.name.replace("_", "-")[:_LONGEST_STEP_IN_NAME].strip("-")
        return f"pipelines-{self._execution.execution_id}-{middle}-{ending}"


_RUNNERS: dict[str, Callable[[StepRunner, StepRun], None]] = {
    "Processing": StepRunner._job,
    "Training": StepRunner._job,
    "Lambda": StepRunner._function,
    "Condition": StepRunner._condition,
    "Fail": StepRunner._fail,
}


def _function_error(body: str) -> str:
    try:
        told = json.loads(body)
        return f"{told.get('errorType')}: {told.get('errorMessage')}"
    except (ValueError, AttributeError):
        return body


def _outputs(step: Step, body: str) -> dict[str, Any]:
    """Return the declared outputs of a function's answer, in their declared types."""
    if not step.outputs:
        return {}
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise StepFailedError(f"ClientError: The function's answer is not JSON: {body[:200]}") from error
    found = {}
    for output in step.outputs:
        name, kind = str(output["OutputName"]), str(output.get("OutputType", "String"))
        if not isinstance(answer, dict) or name not in answer:
            raise StepFailedError(f"ClientError: The function's answer lacks the output parameter {name!r}")
        found[name] = _typed(name, kind, answer[name])
    return found


def _typed(name: str, kind: str, value: Any) -> Any:
    kinds: dict[str, Any] = {"String": str, "Integer": int, "Float": (int, float), "Boolean": bool}
    right = isinstance(value, kinds.get(kind, ())) and (kind == "Boolean" or not isinstance(value, bool))
    if not right:
        raise StepFailedError(f"ClientError: The output parameter {name!r} is declared as {kind}, and is {value!r}")
    return value
