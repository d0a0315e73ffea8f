"""Behind `Custom::Empty`: empties buckets, model package groups and profiles of AppConfig that are about to be deleted.

Calls: cloudformation DescribeStacks of its own stack; s3 ListBucketVersions (ListObjectVersions), DeleteObjectVersion
and DeleteObject (DeleteObjects); sagemaker ListModelPackages, DeleteModelPackage; appconfig
ListHostedConfigurationVersions, DeleteHostedConfigurationVersion.
"""

from collections.abc import Callable
from typing import Any

from lambdas.rollout.adapters.appconfig import HostedVersions
from lambdas.rollout.adapters.cloudformation import Stacks
from lambdas.rollout.adapters.registry import SageMakerRegistry
from lambdas.rollout.adapters.s3 import S3Buckets
from lambdas.rollout.handlers.custom_resource import Answer, Request, UnfinishedError, answer
from lambdas.rollout.handlers.wiring import logger

_GOING = ("DELETE_", "ROLLBACK_")
"""How the statuses begin of a stack that is being deleted, or whose creation is being taken back."""


def handler(event: dict[str, Any], context: Any) -> None:
    """Answer CloudFormation."""
    answer(event, context, event["LogicalResourceId"], lambda request: act(request, Stacks().status, _empty))


def act(request: Request, status: Callable[[str], str], empty: Callable[[Request], bool]) -> Answer:
    """Empty everything when the whole stack is deleted.

    The resource alone is deleted as well, when an environment is told to keep its data from now on, or when an update
    that added it is rolled back: then everything must stay.
    """
    if request.kind == "Delete":
        found = status(request.stack)
        if not found.startswith(_GOING):
            logger.warning(f"the stack is {found} and is not being deleted, so that nothing is emptied")
        elif not empty(request):
            raise UnfinishedError("there was not enough time to empty everything; delete the stack again")
    return Answer(str(request.physical_id or request.identity))


def _empty(request: Request) -> bool:
    buckets, registry, versions = S3Buckets(), SageMakerRegistry(), HostedVersions()
    asked = request.properties
    emptied = [buckets.empty(bucket, request.has_time) for bucket in asked.get("BucketNames", [])]
    emptied += [registry.delete_all(group, request.has_time) for group in asked.get("ModelPackageGroups", [])]
    emptied += [
        versions.delete_all_but(each["KeptVersion"], each["ApplicationId"], each["ProfileId"], request.has_time)
        for each in asked.get("ConfigurationProfiles", [])
    ]
    return all(emptied)
