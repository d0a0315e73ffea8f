"""Processing jobs: named inputs and outputs under /opt/ml/processing, and any command."""

import json
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.physics.dockerfile import Dockerfile
from localcloud.services.jobs.accepted import PROCESSING
from localcloud.services.jobs.kind import HOST, ProgramKind
from localcloud.services.jobs.records import COMPLETED, LONGEST_TEXT, Job, Request
from localcloud.services.jobs.run import Run
from localcloud.services.jobs.scratch import Scratch, check_local_path
from localcloud.services.jobs.storage import RoleStorage

_DATA = "/opt/ml/processing"
_MESSAGE = "/opt/ml/output/message"
_CONFIG = "/opt/ml/config"
_IN_CONFIG = (
    "ProcessingJobName",
    "AppSpecification",
    "Environment",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "RoleArn",
    "StoppingCondition",
)


class ProcessingKind(ProgramKind):
    """Processing jobs."""

    label: ClassVar[str] = "ProcessingJob"
    arn_kind: ClassVar[str] = "processing-job"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"
    event: ClassVar[str] = "SageMaker Processing Job State Change"
    accepted: ClassVar[dict[str, Any]] = PROCESSING

    def check(self, request: Request) -> None:
        """Refuse what is not honoured, and places outside of /opt/ml/processing."""
        super().check(request)
        for name, source in _inputs(request):
            _check_place(source, f"LocalPath of the processing input {name}")
        for name, target in _outputs(request):
            _check_place(target, f"LocalPath of the processing output {name}")

    def image(self, request: Request) -> str:
        """Return the image's URI."""
        return str(request["AppSpecification"]["ImageUri"])

    def command(self, dockerfile: Dockerfile, request: Request) -> list[str]:
        """Return ContainerEntrypoint and ContainerArguments, else what the image has."""
        asked = request["AppSpecification"]
        arguments = asked.get("ContainerArguments") or []
        if asked.get("ContainerEntrypoint"):
            return [*asked["ContainerEntrypoint"], *arguments]
        return dockerfile.program(*arguments)

    def variables(self, job: Job) -> dict[str, str]:
        """Return the ARN's variable."""
        return {"PROCESSING_JOB_ARN": job.arn}

    def fetch(self, job: Job, scratch: Scratch, storage: RoleStorage) -> None:
        """Write the configuration and fetch the inputs; folders of outputs are there from the start."""
        self._configure(job, scratch)
        for _, source in _inputs(job.request):
            folder = scratch.folder(source["LocalPath"])
            fetch = storage.fetch_manifest if source["S3DataType"] == "ManifestFile" else storage.fetch_prefix
            fetch(source["S3Uri"], folder)
        for _, target in _outputs(job.request):
            scratch.folder(target["LocalPath"])

    def keep(self, job: Job, scratch: Scratch, storage: RoleStorage) -> None:
        """Store nothing: there are no checkpoints."""

    def store(self, job: Job, scratch: Scratch, storage: RoleStorage, status: str) -> None:
        """Store the outputs of a completed job (EndOfJob)."""
        if status != COMPLETED:
            return
        key = (job.request.get("ProcessingOutputConfig") or {}).get("KmsKeyId")
        for _, target in _outputs(job.request):
            storage.put_folder(scratch.path(target["LocalPath"]), target["S3Uri"], key)

    def failure(self, job: Job, scratch: Scratch, run: Run) -> str:  # noqa: ARG002 - the kinds share the form
        """Return the reason; the program's own words are the ExitMessage."""
        return f"AlgorithmError: See job logs for more information, exit code: {run.status}"

    def note(self, job: Job, scratch: Scratch) -> None:
        """Take the exit message."""
        job.exit_message = scratch.read(_MESSAGE, LONGEST_TEXT) or None

    def network_isolated(self, request: Request) -> bool:
        """Whether EnableNetworkIsolation is set."""
        return bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation"))

    def describe(self, job: Job) -> dict[str, Any]:
        """Return what DescribeProcessingJob answers."""
        answer = self.described(job)
        return {**answer, "ExitMessage": job.exit_message} if job.exit_message else answer

    def _configure(self, job: Job, scratch: Scratch) -> None:
        config = {name: job.request[name] for name in _IN_CONFIG if name in job.request}
        resources = {"current_host": HOST, "hosts": [HOST]}
        scratch.write(f"{_CONFIG}/processingjobconfig.json", json.dumps({"ProcessingJobArn": job.arn, **config}))
        scratch.write(f"{_CONFIG}/resourceconfig.json", json.dumps(resources))
        scratch.folder("/opt/ml/output")


def _inputs(request: Request) -> list[tuple[str, dict[str, Any]]]:
    """Return name and S3 source of every input."""
    return [(item["InputName"], item.get("S3Input") or {}) for item in request.get("ProcessingInputs") or []]


def _outputs(request: Request) -> list[tuple[str, dict[str, Any]]]:
    """Return name and S3 target of every output."""
    config = request.get("ProcessingOutputConfig") or {}
    return [(item["OutputName"], item.get("S3Output") or {}) for item in config.get("Outputs") or []]


def _check_place(place: dict[str, Any], what: str) -> None:
    if not place.get("LocalPath"):
        raise AwsError("ValidationException", f"{what} is missing: give a path below {_DATA}")
    check_local_path(place["LocalPath"], _DATA, what)
