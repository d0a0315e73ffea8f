"""The kinds of resources that Application Auto Scaling scales here, and what scaling asks of them."""

import re
from dataclasses import dataclass
from typing import Protocol

from localcloud.errors import AwsError


class ScalableFleet(Protocol):
    """The resources of one kind; each has a place of two names."""

    def capacity(self, owner: str, part: str) -> int | None:
        """Return the desired capacity, or None where there is no such resource."""

    def set_capacity(self, owner: str, part: str, count: int) -> None:
        """Change the desired capacity, to no less than the resource can do with; `AwsError` while it is busy."""

    def load(self, owner: str, part: str, minutes_ago: int) -> float | None:
        """Return the tracked metric of one whole minute; None without any."""


@dataclass(frozen=True)
class Kind:
    """One kind of scalable resource.

    Parameters
    ----------
    namespace, dimension
        As requests name it.
    metric
        The predefined metric that can be tracked.
    form
        What its resource ids look like.
    what
        What there is none of when it is not there.
    role
        Name of the service-linked role.
    """

    namespace: str
    dimension: str
    metric: str
    form: str
    what: str
    role: str

    def place(self, resource_id: str) -> tuple[str, str]:
        """Return the two names in a resource id."""
        found = re.fullmatch(self.form, resource_id)
        if found is None:
            raise AwsError("ValidationException", f"Unsupported resource type or malformed resource id: {resource_id}")
        return found[1], found[2]

    def role_arn(self, account: str) -> str:
        """Return the ARN of the service-linked role."""
        service = f"{self.namespace}.application-autoscaling.amazonaws.com"
        return f"arn:aws:iam::{account}:role/aws-service-role/{service}/{self.role}"


VARIANTS = Kind(
    "sagemaker",
    "sagemaker:variant:DesiredInstanceCount",
    "SageMakerVariantInvocationsPerInstance",
    "endpoint/([^/]+)/variant/([^/]+)",
    "endpoint variant",
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
)
PROVISIONED = Kind(
    "lambda",
    "lambda:function:ProvisionedConcurrency",
    "LambdaProvisionedConcurrencyUtilization",
    "function:([^:]+):([^:]+)",
    "function version or alias",
    "AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency",
)
KINDS = {(kind.namespace, kind.dimension): kind for kind in (VARIANTS, PROVISIONED)}
"""All kinds, by namespace and dimension."""
