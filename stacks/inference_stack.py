"""The front doors of an environment: how applications call its endpoints."""

from pathlib import Path

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.front_door.front_door import FrontDoor
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.front_door.switches_emptying import SwitchesEmptying
from stacks.constructs.job_image import JobImage
from stacks.constructs.log_group import removal_policy
from stacks.constructs.lost_events import LostEvents
from stacks.constructs.state_table import StateTable
from stacks.names import Names

_EVENTS, _TOPICS = "events.amazonaws.com", "sns.amazonaws.com"


class InferenceStack(Stack):
    """Key, table and account settings that the front doors share, and each of them."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, functions: Path, root: Path
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.retain_data)
        self._environment = environment
        names = Names(self, environment.environment)
        key = self._encryption_key()
        logging = self._let_apis_log()
        lost = LostEvents(self, "LostEvents", holds="Events", key=key, topic_arn=names.topic_arn)
        code = lambda_.Code.from_asset(str(functions))
        shared = Shared(
            environment=environment,
            names=names,
            code=code,
            key=key,
            table=StateTable(
                self,
                "Table",
                name=contract.inference_table(environment.environment),
                environment=environment,
                key=key,
            ),
            lost=lost,
            image=self._image(root),
            emptying=self._emptying(code, key),
        )
        for endpoint in environment.called:
            door = FrontDoor(self, f"Endpoint-{endpoint.name}", shared=shared, endpoint=endpoint, root=root)
            door.node.add_dependency(logging)

    def _encryption_key(self) -> EncryptionKey:
        name = self._environment.environment
        told_by_topics = any(endpoint.has_jobs_endpoint for endpoint in self._environment.called)
        return EncryptionKey(
            self,
            "Key",
            description=f"Answers, jobs, queues and logs of the front doors of {name}",
            alias=f"tidegate-{name}-inference",
            publishers=(_EVENTS, *([_TOPICS] if told_by_topics else [])),
            removal_policy=removal_policy(self._environment),
        )

    def _image(self, root: Path) -> JobImage | None:
        audited = any(endpoint.front_door and endpoint.front_door.audit for endpoint in self._environment.called)
        return JobImage(self, "Image", container="monitoring", root=root) if audited else None

    def _emptying(self, code: lambda_.Code, key: EncryptionKey) -> SwitchesEmptying | None:
        if not self._environment.has_switches:
            return None
        return SwitchesEmptying(self, "EmptySwitches", environment=self._environment, code=code, key=key)

    def _let_apis_log(self) -> apigateway.CfnAccount:
        """API Gateway logs under one role for all APIs of an account and region; this is the setting that AWS advises.

        It is left when the stack goes: other APIs may log under it.
        """
        role = iam.Role(
            self,
            "LogRole",
            description="API Gateway writes the logs of this account's APIs",
            # Without a condition: no page says that API Gateway tells its account when it tries the role out.
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            managed_policies=[
                iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonAPIGatewayPushToCloudWatchLogs")
            ],
        )
        account = apigateway.CfnAccount(self, "Logging", cloud_watch_role_arn=role.role_arn)
        for kept in (role, account):
            kept.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        return account
