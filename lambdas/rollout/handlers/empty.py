"""Behind `Custom::Empty`: empties buckets and model package groups that are about to be deleted.

Calls: s3 ListBucketVersions (ListObjectVersions), DeleteObjectVersion and DeleteObject (DeleteObjects); sagemaker
ListModelPackages, DeleteModelPackage.
"""

from typing import Any

from lambdas.rollout.adapters.registry import SageMakerRegistry
from lambdas.rollout.adapters.s3 import S3Buckets
from lambdas.rollout.handlers.custom_resource import Answer, Request, UnfinishedError, answer


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation."""
    answer(event, context, event["LogicalResourceId"], lambda request: act(request, event["LogicalResourceId"]))


def act(request: Request, identity: str) -> Answer:
    """Empty everything when the resource is deleted."""
    if request.kind == "Delete":
        buckets, registry = S3Buckets(), SageMakerRegistry()
        emptied = [buckets.empty(bucket, request.has_time) for bucket in request.properties["BucketNames"]]
        groups = request.properties["ModelPackageGroups"]
        emptied += [registry.delete_all(group, request.has_time) for group in groups]
        if not all(emptied):
            raise UnfinishedError("there was not enough time to empty everything; delete the stack again")
    return Answer(str(request.physical_id or identity))
