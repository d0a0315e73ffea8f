"""SageMaker pipelines and their executions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import MissingError, TidegateError

_PAGE, _PAGES = 100, 5
_LONGEST_DESCRIPTION = 3072
_NOT_FAILED = frozenset({"Succeeded", "Executing", "Starting"})


class SageMakerPipelines:
    """Implements `lambdas.retraining.ports.Pipelines`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")

    def find(self, pipeline: str, name: str, since: float) -> str | None:
        """Return the execution (ARN) with a display name, begun after a time; None when there is none."""
        request = {
            "PipelineName": pipeline,
            "CreatedAfter": datetime.fromtimestamp(since, UTC),
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": _PAGE,
        }
        for _ in range(_PAGES):
            with translated():
                page = self._client().list_pipeline_executions(**request)
            for each in page["PipelineExecutionSummaries"]:
                if each.get("PipelineExecutionDisplayName") == name:
                    return str(each["PipelineExecutionArn"])
            if not page.get("NextToken"):
                return None
            request["NextToken"] = page["NextToken"]
        return None

    def start(self, pipeline: str, token: str, parameters: Mapping[str, str], description: str) -> str:
        """Start an execution, or return the one that was started with this token."""
        with translated():
            answer = self._client().start_pipeline_execution(
                PipelineName=pipeline,
                PipelineExecutionDisplayName=token,
                PipelineExecutionDescription=description[:_LONGEST_DESCRIPTION],
                PipelineParameters=[{"Name": name, "Value": value} for name, value in sorted(parameters.items())],
                ClientRequestToken=token,
            )
        return str(answer["PipelineExecutionArn"])

    def status(self, execution: str) -> str:
        """Return an execution's status."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                answer = self._client().describe_pipeline_execution(PipelineExecutionArn=execution)
            except ClientError as error:
                if code_of(error) == "ResourceNotFound":
                    raise MissingError(f"{execution} does not exist") from error
                raise
        return str(answer["PipelineExecutionStatus"])

    def failure(self, execution: str) -> str:
        """Return in words why an execution failed: which steps, and what they say."""
        with translated():
            page = self._client().list_pipeline_execution_steps(
                PipelineExecutionArn=execution, MaxResults=_PAGE, SortOrder="Ascending"
            )
        said = [self._said(each) for each in page["PipelineExecutionSteps"] if each["StepStatus"] not in _NOT_FAILED]
        return "; ".join(said) or self._own_reason(execution)

    def _said(self, step: Mapping[str, Any]) -> str:
        job = step.get("Metadata", {}).get("ProcessingJob", {}).get("Arn")
        reasons = (self._exit_message(job) if job else "", step.get("FailureReason"))
        return f"the step {step['StepName']} is {step['StepStatus']}: {'; '.join(filter(None, reasons))}".removesuffix(
            ": "
        )

    def _exit_message(self, job: str) -> str:
        """Return a processing job's own last words, which its FailureReason leaves out; a training job's has them."""
        try:
            with translated():
                answer = self._client().describe_processing_job(ProcessingJobName=job.rpartition("/")[2])
        except TidegateError:
            return ""  # the step's own reason is known, and must be told all the same
        return str(answer.get("ExitMessage") or "")

    def _own_reason(self, execution: str) -> str:
        with translated():
            answer = self._client().describe_pipeline_execution(PipelineExecutionArn=execution)
        return str(answer.get("FailureReason") or "no step says why")

    def stop(self, execution: str, token: str) -> None:
        """Have an execution stopped; one that has ended is left as it is."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                self._client().stop_pipeline_execution(PipelineExecutionArn=execution, ClientRequestToken=token)
            except ClientError as error:
                # The next look finds how it ended.
                if code_of(error) != "ValidationException" and code_of(error) != "ConflictException":
                    raise
