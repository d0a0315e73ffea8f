"""What deletes the versions that operators made of switches, when their stack is destroyed."""

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.permissions import allow
from stacks.names import Names


class SwitchesEmptying(ControlFunction):
    """The function behind it, which all front doors of a stack share.

    CloudFormation does not know of versions that operators make, and AppConfig deletes no profile that has any:
    "Cannot delete configuration profile because there are still hosted configuration versions existing under it"
    (https://github.com/aws/aws-cdk/issues/26804).

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    environment
        The environment it belongs to.
    code
        The Lambda asset.
    key
        Encrypts its log.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, code: lambda_.Code, key: kms.IKey
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            handler="empty",
            name="empty-switches",
            description="Deletes what operators switched when the front doors are destroyed",
            environment=environment,
            code=code,
            key=key,
            variables={},
            timeout=Duration.minutes(15),
        )
        self._place = Names(self, environment.environment)
        self._list = allow("ListVersions", ["appconfig:ListHostedConfigurationVersions"], [])
        self._delete = allow("DeleteVersions", ["appconfig:DeleteHostedConfigurationVersion"], [])
        # It deletes only when the whole stack goes.
        own_stack = allow("DescribeOwnStack", ["cloudformation:DescribeStacks"], [Stack.of(self).stack_id])
        self.allow(self._list, self._delete, own_stack)

    def before(self, scope: Construct, *, application: str, profile: str, kept: str) -> None:
        """Delete a profile's versions before the profile; the one that is kept is CloudFormation's own to delete."""
        own = f"{application}/configurationprofile/{profile}"
        # AWS wants both actions allowed on all that holds a version, and to delete it on the version as well.
        holders = [self._place.arn("appconfig", "application", each) for each in (application, own)]
        self._list.add_resources(*holders)
        self._delete.add_resources(
            *holders, self._place.arn("appconfig", "application", f"{own}/hostedconfigurationversion/*")
        )
        emptied = CustomResource(
            scope,
            "Emptied",
            resource_type=contract.EMPTY_RESOURCE_TYPE,
            service_token=self.function.function_arn,
            service_timeout=Duration.minutes(20),
            removal_policy=RemovalPolicy.DESTROY,
            properties={
                "ConfigurationProfiles": [{"ApplicationId": application, "ProfileId": profile, "KeptVersion": kept}]
            },
        )
        emptied.node.add_dependency(self)
