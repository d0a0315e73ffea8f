"""Batch transforms: a model answers every record of some objects, and an answer is stored for each object."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.records import Model
from localcloud.physics.times import to_datetime
from localcloud.services.jobs.accepted import TRANSFORM
from localcloud.services.jobs.data_processing import processing_of
from localcloud.services.jobs.kind import JobKind
from localcloud.services.jobs.records import Job, Request
from localcloud.services.jobs.storage import split

MOST_MEGABYTES = 100
_SUMMARISED = (
    "TransformJobName",
    "TransformJobArn",
    "TransformJobStatus",
    "CreationTime",
    "TransformEndTime",
    "LastModifiedTime",
    "FailureReason",
)


class TransformKind(JobKind):
    """Batch transforms.

    Parameters
    ----------
    model
        Finds a model by its name.
    """

    label: ClassVar[str] = "TransformJob"
    arn_kind: ClassVar[str] = "transform-job"
    log_group: ClassVar[str] = "/aws/sagemaker/TransformJobs"
    event: ClassVar[str] = "SageMaker Transform Job State Change"
    accepted: ClassVar[Mapping[str, Any]] = TRANSFORM

    def __init__(self, model: Callable[[str], Model]) -> None:
        self._model = model

    def check(self, request: Request) -> None:
        """Refuse what is not honoured, a model that is not there, and payloads that are too large together."""
        super().check(request)
        for uri in (_source(request)["S3Uri"], request["TransformOutput"]["S3OutputPath"]):
            if not uri.startswith("s3://"):
                raise AwsError("ValidationException", f"{uri!r} is no S3 URI such as s3://bucket/prefix")
            split(uri)
        self._model(request["ModelName"])
        _check_payload(request)
        processing_of(request)

    def describe(self, job: Job) -> dict[str, Any]:
        """Return what DescribeTransformJob answers."""
        described = self.described(job)
        return {name: value for name, value in described.items() if name != "LastModifiedTime"}

    def summary(self, job: Job) -> dict[str, Any]:
        """Return what ListTransformJobs answers."""
        described = {**self.describe(job), "LastModifiedTime": to_datetime(job.modified_at)}
        return {name: described[name] for name in _SUMMARISED if name in described}


def _source(request: Request) -> dict[str, Any]:
    source: dict[str, Any] = request["TransformInput"]["DataSource"]["S3DataSource"]
    return source


def _check_payload(request: Request) -> None:
    megabytes, at_once = request.get("MaxPayloadInMB"), request.get("MaxConcurrentTransforms") or 1
    if megabytes == 0:
        raise NotSimulatedError("CreateTransformJob.MaxPayloadInMB 0 (chunked bodies without an end)")
    if (megabytes or 0) * at_once > MOST_MEGABYTES:
        raise AwsError(
            "ValidationException",
            f"MaxConcurrentTransforms * MaxPayloadInMB is {at_once} * {megabytes} and must not exceed {MOST_MEGABYTES}",
        )
