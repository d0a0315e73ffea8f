"""A Lambda function under a role of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.log_group import RetainedLogs
from stacks.constructs.permissions import attach_to_network, send
from stacks.names import Names

RUNTIME = lambda_.Runtime.PYTHON_3_14
_ONCE: dict[str, Any] = {"retry_attempts": 0, "max_event_age": Duration.seconds(60)}


class ControlFunction(Construct):
    """A function from the handlers of a package of `lambdas`, its role and its log group.

    The role may write its own log and nothing else; `allow` adds what the function does.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    handler
        Module of the package's handlers, by which the function is named too.
    description
        What it does.
    environment
        The environment it belongs to.
    code
        The Lambda asset.
    key
        Encrypts its log.
    variables
        Environment variables, besides those that every function has.
    timeout
        Longest time a call may take.
    reserved_concurrency
        Concurrency set aside for it.
    retried
        Whether an asynchronous call that failed is made again.
    package
        Package of `lambdas`.
    memory_megabytes
        Its memory, with which Lambda gives it processors: a whole one from 1,769 on.
    name
        What it is called behind the environment's name, where that is not its handler's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: str,
        description: str,
        environment: Environment,
        code: lambda_.Code,
        key: kms.IKey,
        variables: Mapping[str, str],
        timeout: Duration,
        reserved_concurrency: int | None = None,
        retried: bool = True,
        package: str = "rollout",
        memory_megabytes: int = 512,
        name: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._names, self._name = Names(self, environment.environment), name or handler
        logs = RetainedLogs(self, "Logs", environment=environment, key=key)
        self.role = self._writing_to(logs, description)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=self._names.function(self._name),
            description=description,
            runtime=RUNTIME,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lambdas.{package}.handlers.{handler}.handler",
            code=code,
            role=self.role,
            log_group=logs,
            timeout=timeout,
            memory_size=memory_megabytes,
            environment={
                contract.ENV_ENVIRONMENT: environment.environment,
                "POWERTOOLS_SERVICE_NAME": contract.function_service(handler),
                **variables,
            },
            reserved_concurrent_executions=reserved_concurrency,
            **({} if retried else _ONCE),
        )

    def _writing_to(self, logs: RetainedLogs, description: str) -> iam.Role:
        """Return the function's role, which may write its log."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=description)
        actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
        role.add_to_policy(iam.PolicyStatement(sid="WriteLog", actions=actions, resources=[logs.log_group_arn]))
        return role

    def allow(self, *statements: iam.PolicyStatement) -> None:
        """Add statements to the function's policy."""
        for statement in statements:
            self.role.add_to_policy(statement)

    def run_in(self, subnets: Sequence[str], security_group: str) -> None:
        """Let the function run in a network: it reaches what that reaches, and nothing else."""
        self._resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
            subnet_ids=list(subnets), security_group_ids=[security_group]
        )
        self.allow(*attach_to_network(self._names, self._names.function_arn(self._name)))

    def keep_failures(self, queue: sqs.Queue) -> None:
        """Keep events whose handling failed for good, when the function is called asynchronously."""
        self._resource.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=queue.queue_arn)
        self.allow(send(queue, "KeepFailures"))

    @property
    def _resource(self) -> lambda_.CfnFunction:
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        return resource
