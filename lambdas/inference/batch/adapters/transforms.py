"""SageMaker's batch transforms.

Needs sagemaker:CreateTransformJob, DescribeTransformJob and StopTransformJob on ``transform-job/batch-<endpoint>-*``.
The job runs under the role of the model; that role reads the input and the manifest, and
writes the output.
"""

from typing import Any

from lambdas.inference.batch import keyed
from lambdas.inference.batch.said import JobSeen
from lambdas.inference.batch.settings import Plan
from lambdas.inference.batch.state import Run
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.failures import code_of, translated
from lambdas.rollout.errors import MissingError, PermanentError, RetryableError


class SageMakerTransforms:
    """Implements `lambdas.inference.batch.ports.Transforms`."""

    def __init__(self, client: Lazy | None = None) -> None:
        self._client = client or Lazy("sagemaker")

    def see(self, name: str) -> JobSeen | None:
        """Return how a job stands; None when there is none."""
        try:
            with translated():
                found = self._client().describe_transform_job(TransformJobName=name)
        except MissingError:
            return None
        return JobSeen(found["TransformJobStatus"], str(found.get("FailureReason") or ""))

    def create(self, name: str, run: Run, manifest: str, plan: Plan) -> None:
        """Create a job for the objects of a manifest; one of that name that is there is taken for it."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                self._client().create_transform_job(**request(name, run, manifest, plan))
            except ClientError as error:
                if code_of(error) == "ResourceInUse":
                    return
                if code_of(error) == "ResourceLimitExceeded":
                    raise RetryableError(str(error)) from error
                raise

    def stop(self, name: str) -> None:
        """Have a job stopped; one that has ended is left as it is."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                self._client().stop_transform_job(TransformJobName=name)
            except ClientError as error:
                # It has ended meanwhile; the next look finds how.
                if code_of(error) != "ValidationException":
                    raise


def request(name: str, run: Run, manifest: str, plan: Plan) -> dict[str, Any]:
    """Return the request for a job: lines in, lines out, payloads as full as they may be.

    An answer ends in a line's end by itself, so that answers are put together as they are.
    """
    batch = plan.batch
    if run.model is None:
        raise PermanentError(f"the run {run.id} has no model")
    keys = _with_keys(run, plan)
    return {
        "TransformJobName": name,
        "ModelName": run.model.name,
        "BatchStrategy": "MultiRecord",
        "MaxPayloadInMB": batch.payload_megabytes,
        "MaxConcurrentTransforms": batch.concurrent,
        "Environment": plan.environment,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": manifest}},
            "ContentType": run.wish.content_type,
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{plan.bucket}/{plan.output_folder(run.id).rstrip('/')}",
            "Accept": batch.accept,
            "AssembleWith": "Line" if keys else "None",
        },
        "TransformResources": {"InstanceType": batch.instance_type, "InstanceCount": batch.instances},
        **keys,
    }


def _with_keys(run: Run, plan: Plan) -> dict[str, Any]:
    """Return how keys are taken off rows and put before answers; lines that are joined bring no line's end along."""
    if run.model is None or run.model.width is None:
        return {}
    return {"DataProcessing": keyed.data_processing(plan.batch.accept, run.model.width)}
