"""SageMaker Processing jobs that count large windows."""

from lambdas.monitoring.adapters.clients import lazy
from lambdas.monitoring.errors import MissingError
from lambdas.monitoring.ports import JobOrder, JobView
from lambdas.monitoring.processing import request_for
from lambdas.monitoring.settings import Settings
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated

_LONGEST_REASON = 1000


class ProcessingJobs:
    """Implements `lambdas.monitoring.ports.Jobs`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or lazy("sagemaker")

    def look(self, name: str) -> JobView | None:
        """Return how a job stands; None when there is none."""
        try:
            with translated():
                job = self._client().describe_processing_job(ProcessingJobName=name)
        except MissingError:
            return None
        reasons = [job.get("FailureReason"), job.get("ExitMessage")]
        return JobView(job["ProcessingJobStatus"], "; ".join(filter(None, reasons))[:_LONGEST_REASON])

    def start(self, order: JobOrder, settings: Settings) -> None:
        """Start a job; one of that name that is there already is success: its name says what it does."""
        from botocore.exceptions import ClientError

        assert settings.job is not None
        with translated():
            try:
                self._client().create_processing_job(**request_for(order, settings.job))
            except ClientError as error:
                # SageMaker says ResourceInUse; older texts have a ValidationException that it exists already.
                if code_of(error) != "ResourceInUse" and "already exist" not in str(error).lower():
                    raise
