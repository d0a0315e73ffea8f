"""Names by which one stack knows what another makes.

Stacks are deployed and destroyed one by one; a derived name ties none to another's exports. What the functions and
the command line must know as well is spelled in `lambdas.contract`.
"""

from aws_cdk import ArnFormat, Stack
from constructs import Construct

from lambdas import contract
from stacks.config.lengths import execution_role_name


class Names:
    """Names of an environment's resources, and their ARNs in the account and region of a stack.

    Parameters
    ----------
    scope
        Any construct of the stack that uses them.
    environment
        Name of the environment.
    """

    def __init__(self, scope: Construct, environment: str) -> None:
        self.stack = Stack.of(scope)
        self.environment = environment

    @property
    def topic(self) -> str:
        """Return the name of the topic that alarms and the engine publish to."""
        return f"tidegate-{self.environment}-alerts"

    @property
    def topic_arn(self) -> str:
        """Return that topic's ARN."""
        return self.arn("sns", self.topic, None)

    @property
    def artefact_bucket(self) -> str:
        """Return the name of the bucket that holds models and captured traffic."""
        return f"tidegate-{self.environment}-artefacts-{self.stack.account}-{self.stack.region}"

    @property
    def registry_key(self) -> str:
        """Return the alias, without ``alias/``, of the key of that bucket."""
        return f"tidegate-{self.environment}-registry"

    @property
    def rollout_key(self) -> str:
        """Return the alias, without ``alias/``, of the key of rollout state and alerts."""
        return f"tidegate-{self.environment}-rollout"

    @property
    def signing_key(self) -> str:
        """Return the alias, without ``alias/``, of the key that signs model packages."""
        return f"tidegate-{self.environment}-signing"

    @property
    def signing_key_arn(self) -> str:
        """Return that alias's ARN."""
        return self.arn("kms", "alias", self.signing_key)

    @property
    def table(self) -> str:
        """Return the name of the rollout table."""
        return contract.table_name(self.environment)

    def function(self, name: str) -> str:
        """Return the name of the function whose handler is `name`."""
        return f"tidegate-{self.environment}-{name}"

    def function_arn(self, name: str) -> str:
        """Return that function's ARN."""
        return self.arn("lambda", "function", self.function(name), separator=ArnFormat.COLON_RESOURCE_NAME)

    def jobs_topic_arn(self, endpoint: str) -> str:
        """Return the ARN of the topic that is told of the jobs of an endpoint of the environment's file."""
        return self.arn("sns", contract.jobs_topic(self.environment, endpoint), None)

    @property
    def inference_key(self) -> str:
        """Return the alias, without ``alias/``, of the key of the front doors."""
        return f"tidegate-{self.environment}-inference"

    def execution_role(self, endpoint_name: str) -> str:
        """Return the name of the role under which an endpoint's containers run."""
        return execution_role_name(endpoint_name, self.stack.region)

    def execution_role_arn(self, endpoint_name: str) -> str:
        """Return that role's ARN."""
        return self.arn("iam", "role", self.execution_role(endpoint_name), region="")

    def parameter_arn(self, endpoint_name: str) -> str:
        """Return the ARN of the parameter with an endpoint's settings."""
        return self.arn("ssm", "parameter", contract.endpoint_parameter(self.environment, endpoint_name).lstrip("/"))

    def monitoring_parameter_arn(self, endpoint_name: str) -> str:
        """Return the ARN of the parameter that says how an endpoint is monitored."""
        return self.arn("ssm", "parameter", contract.monitoring_parameter(self.environment, endpoint_name).lstrip("/"))

    def retraining_parameter_arn(self, endpoint_name: str) -> str:
        """Return the ARN of the parameter that says when an endpoint's model is retrained."""
        return self.arn("ssm", "parameter", contract.retraining_parameter(self.environment, endpoint_name).lstrip("/"))

    def parameters_arn(self, path: str) -> str:
        """Return the ARN of all parameters below a path; who may read a path may read what is below it."""
        return self.arn("ssm", "parameter", path.lstrip("/"))

    def pipeline(self, endpoint_name: str) -> str:
        """Return the name of the pipeline that retrains an endpoint's model."""
        return f"{endpoint_name}-retraining"

    @property
    def counting(self) -> str:
        """Return the name of the state machine that counts large windows."""
        return f"tidegate-{self.environment}-count-windows"

    @property
    def counting_arn(self) -> str:
        """Return that state machine's ARN."""
        return self.states_arn("stateMachine", self.counting)

    def states_arn(self, kind: str, name: str) -> str:
        """Return the ARN of something of Step Functions, such as an ``execution``."""
        return self.arn("states", kind, name, separator=ArnFormat.COLON_RESOURCE_NAME)

    def log_arn(self, group: str) -> str:
        """Return the ARN of a log group, or of the streams in it."""
        return self.arn("logs", "log-group", group, separator=ArnFormat.COLON_RESOURCE_NAME)

    def alarm_arn(self, alarm: str) -> str:
        """Return the ARN of an alarm."""
        return self.arn("cloudwatch", "alarm", alarm, separator=ArnFormat.COLON_RESOURCE_NAME)

    def sagemaker_arn(self, kind: str, name: str) -> str:
        """Return the ARN of a SageMaker resource of a kind, such as ``endpoint-config``."""
        return self.arn("sagemaker", kind, name)

    def arn(
        self,
        service: str,
        resource: str,
        name: str | None,
        *,
        separator: ArnFormat = ArnFormat.SLASH_RESOURCE_NAME,
        region: str | None = None,
    ) -> str:
        """Return an ARN in the stack's account and, unless `region` is empty, its region."""
        form = separator if name is not None else ArnFormat.NO_RESOURCE_NAME
        return self.stack.format_arn(
            service=service, resource=resource, resource_name=name, arn_format=form, region=region
        )
