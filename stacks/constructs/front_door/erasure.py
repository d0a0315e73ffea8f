"""What takes a person's rows out of the audit."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.contract import AUDIT_PREFIX, INFERENCE_PREFIX
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.job_role import PROCESSING, JobRole

_MACHINE = "ml.m5.large"


class Erasure(Construct):
    """The role of Processing jobs that write the audit's files anew, which operators start.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    name
        SageMaker name of the endpoint.
    """

    def __init__(self, scope: Construct, construct_id: str, *, shared: Shared, name: str) -> None:
        super().__init__(scope, construct_id)
        folders = (AUDIT_PREFIX, INFERENCE_PREFIX)
        self._role: iam.IRole = JobRole(
            Construct(self, "Job"),
            "Role",
            names=shared.names,
            endpoint_name=name,
            kinds=(PROCESSING,),
            reads=folders,
            writes=folders,
            baseline=None,
        )
        self._image = shared.image

    @property
    def places(self) -> dict[str, dict[str, str]]:
        """Return what the jobs run on, for operators."""
        assert self._image is not None
        machine = {"image": self._image.image_uri, "role": self._role.role_arn, "instance_type": _MACHINE}
        return {"erasure": machine}
