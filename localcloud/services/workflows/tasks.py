"""What tasks call, in the name of the state machine's role."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from localcloud.services.jobs.job_service import JobService
from localcloud.services.role_access import RoleSession
from localcloud.services.workflows.definition import INVOKE
from localcloud.services.workflows.errors import READER_FAILED, RUNTIME, TASK_FAILED, StateError, StoppedError
from localcloud.services.workflows.halt import Halt

_LOOK_SECONDS = 0.05
_LAMBDA_SECONDS = 900
_LABEL = "ProcessingJob"
_THROTTLES = {"ResourceLimitExceeded": "SageMaker.ResourceLimitExceededException"}


class Tasks:
    """Calls other services for one execution.

    Parameters
    ----------
    session
        Session of the state machine's role.
    jobs
        Where jobs run.
    """

    def __init__(self, session: RoleSession, jobs: JobService) -> None:
        self.principal = session.credentials.principal
        self._jobs = jobs
        self._s3 = session.client("s3")
        self._sagemaker = session.client("sagemaker")
        # One attempt: what a function does must not be done twice behind the definition's back.
        self._lambda = session.client("lambda", answer_seconds=_LAMBDA_SECONDS, attempts=1)

    def run(self, resource: str, parameters: Any, halt: Halt) -> Any:
        """Return a task's result.

        Raises
        ------
        StateError
            When it fails.
        """
        act = self._invoke if resource == INVOKE else self._process
        try:
            return act(parameters, halt)
        except ParamValidationError as error:
            raise StateError(RUNTIME, f"the parameters do not fit {resource}: {error}") from error

    def items(self, bucket: str, key: str) -> list[Any]:
        """Return the JSON list in an object."""
        try:
            items = json.loads(self._s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (ClientError, BotoCoreError, ValueError) as error:
            raise StateError(READER_FAILED, f"s3://{bucket}/{key}: {error}") from error
        if not isinstance(items, list):
            raise StateError(READER_FAILED, f"s3://{bucket}/{key} is no JSON array")
        return items

    def _invoke(self, parameters: Mapping[str, Any], _halt: Halt) -> Any:
        payload = json.dumps(parameters.get("Payload", {})).encode()
        try:
            answer = self._lambda.invoke(**{**parameters, "Payload": payload})
        except ClientError as error:
            raise _refused("Lambda", "AWSLambdaException", error) from error
        except BotoCoreError as error:
            raise StateError("Lambda.SdkClientException", str(error)) from error
        body = answer["Payload"].read().decode(errors="replace")
        if answer.get("FunctionError"):
            raise StateError(_error_type(body), body)
        return {
            "ExecutedVersion": answer.get("ExecutedVersion"),
            "Payload": json.loads(body) if body else None,
            "StatusCode": answer["StatusCode"],
        }

    def _process(self, parameters: Mapping[str, Any], halt: Halt) -> Any:
        """Run a processing job to its end; it is stopped when the execution is."""
        try:
            self._sagemaker.create_processing_job(**parameters)
        except ClientError as error:
            raise _refused("SageMaker", "AmazonSageMakerException", error) from error
        name = str(parameters["ProcessingJobName"])
        try:
            while not self._jobs.wait(_LABEL, name, _LOOK_SECONDS):
                halt.check()
        except (StoppedError, StateError):
            self._stop(name)
            raise
        described = self._sagemaker.describe_processing_job(ProcessingJobName=name)
        described.pop("ResponseMetadata", None)
        job = _as_json(described)
        if job["ProcessingJobStatus"] != "Completed":
            raise StateError(TASK_FAILED, json.dumps(job))
        return job

    def _stop(self, name: str) -> None:
        try:
            self._sagemaker.stop_processing_job(ProcessingJobName=name)
        except ClientError as error:  # it may have ended meanwhile
            if error.response["Error"]["Code"] != "ValidationException":
                raise


def _refused(service: str, other: str, error: ClientError) -> StateError:
    told = error.response["Error"]
    code = str(told.get("Code"))
    name = _THROTTLES.get(code) or (f"{service}.{code}" if code.endswith("Exception") else f"{service}.{other}")
    if service == "SageMaker" and code not in _THROTTLES:
        name = f"{service}.{other}"
    return StateError(name, f"{told.get('Message')} (Service: {service}; Error Code: {code})")


def _error_type(body: str) -> str:
    try:
        told = json.loads(body)
    except ValueError:
        return "Lambda.Unknown"
    return str(told.get("errorType") or "Lambda.Unknown") if isinstance(told, dict) else "Lambda.Unknown"


def _as_json(value: Any) -> Any:
    """Return an answer with times as Step Functions gives them: epoch milliseconds."""
    if isinstance(value, dict):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
