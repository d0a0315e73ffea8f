"""What each function may do, action by action and resource by resource."""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs

from lambdas import contract
from stacks.names import Names

_SCALING_SERVICE_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


def allow(sid: str, actions: Sequence[str], resources: Sequence[str], **condition: object) -> iam.PolicyStatement:
    """Return a statement; `condition` is one operator with its keys, as ``StringEquals={...}``."""
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=condition)


def use_key(key: kms.IKey, sid: str = "UseKey") -> iam.PolicyStatement:
    """Read and write what lies encrypted in tables, queues and topics."""
    return allow(sid, ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"], [key.key_arn])


def use_key_of(names: Names, alias: str, service: str, sid: str, *actions: str) -> iam.PolicyStatement:
    """Use a key of another stack, through a service only; a policy names such a key by its alias, in a condition."""
    stack = names.stack
    conditions = {
        "ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{alias}"},
        "StringEquals": {"kms:ViaService": f"{service}.{stack.region}.{stack.url_suffix}"},
    }
    return allow(sid, [f"kms:{action}" for action in actions], [names.arn("kms", "key", "*")], **conditions)


def signing(names: Names, sid: str, *actions: str) -> iam.PolicyStatement:
    """Do what is named with the key that signs model packages, which is another stack's."""
    alias = {"kms:ResourceAliases": f"alias/{names.signing_key}"}
    keys = [names.arn("kms", "key", "*")]
    return allow(sid, [f"kms:{action}" for action in actions], keys, **{"ForAnyValue:StringEquals": alias})


def put_events(names: Names, source: str) -> iam.PolicyStatement:
    """Send events of one source to the account's bus."""
    bus = names.arn("events", "event-bus", "default")
    return allow("PutEvents", ["events:PutEvents"], [bus], StringEquals={"events:source": source})


def tell_people(names: Names) -> list[iam.PolicyStatement]:
    """Publish to the topic of another stack, which is encrypted."""
    return [
        allow("TellPeople", ["sns:Publish"], [names.topic_arn]),
        use_key_of(names, names.rollout_key, "sns", "SealAlerts", "Decrypt", "GenerateDataKey"),
    ]


def read_rollouts(names: Names, endpoints: Sequence[str], *actions: str) -> list[iam.PolicyStatement]:
    """Read the states of endpoints in the rollout table of another stack, and nothing else of it."""
    table = names.arn("dynamodb", "table", names.table)
    states = {"dynamodb:LeadingKeys": [contract.endpoint_partition(name) for name in endpoints]}
    reading = [f"dynamodb:{action}" for action in actions]
    return [
        allow("ReadRollouts", reading, [table], **{"ForAllValues:StringEquals": states}),
        use_key_of(names, names.rollout_key, "dynamodb", "UnsealRollouts", "Decrypt"),
    ]


def keep_state(table: dynamodb.Table, *actions: str) -> iam.PolicyStatement:
    """Do what is named to items of a table; a transaction needs what its parts need."""
    return allow("KeepState", [f"dynamodb:{action}" for action in actions], [table.table_arn])


def find_due(table: dynamodb.Table) -> iam.PolicyStatement:
    """Look up which endpoints are due."""
    return allow("FindDue", ["dynamodb:Query"], [f"{table.table_arn}/index/{contract.WAKE_INDEX}"])


def send(queue: sqs.IQueue, sid: str) -> iam.PolicyStatement:
    """Send messages to a queue."""
    return allow(sid, ["sqs:SendMessage"], [queue.queue_arn])


def consume(queue: sqs.IQueue) -> iam.PolicyStatement:
    """Take messages off a queue."""
    actions = ["ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage"]
    return allow("ConsumeQueue", [f"sqs:{action}" for action in actions], [queue.queue_arn])


def attach_to_network(names: Names, function_arn: str) -> list[iam.PolicyStatement]:
    """Let Lambda make a function's network interfaces, which it does in the name of the function's role.

    These are the resources that Lambda's guide names for it, and the refusal by which the guide keeps the function's
    own code from the same (docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html).
    """
    looking = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
    verbs = (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "UnassignPrivateIpAddresses",
    )
    changing = [f"ec2:{verb}" for verb in verbs]
    own_code = iam.PolicyStatement(
        sid="KeepCodeFromNetwork",
        effect=iam.Effect.DENY,
        actions=[*looking, *changing],
        resources=["*"],
        conditions={"ArnEquals": {"lambda:SourceFunctionArn": function_arn}},
    )
    return [
        allow("FindNetwork", looking, ["*"]),
        allow("AttachToNetwork", changing, [names.arn("ec2", "*", "*")]),
        own_code,
    ]


def ask_hooks(functions: Sequence[str]) -> list[iam.PolicyStatement]:
    """Invoke the functions that policies name, each as it is named: with its version or alias, or without."""
    return [allow("AskHooks", ["lambda:InvokeFunction"], functions)] if functions else []


def let_scaling_work(names: Names) -> iam.PolicyStatement:
    """Have the role made under which Application Auto Scaling changes endpoints."""
    role = names.arn("iam", "role", _SCALING_SERVICE_ROLE, region="")
    service = {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
    return allow("LetScalingWork", ["iam:CreateServiceLinkedRole"], [role], StringEquals=service)


class EndpointPermissions:
    """Statements about the endpoints of an environment and what belongs to them, by name.

    Parameters
    ----------
    names
        Names in the stack that holds the roles.
    endpoints
        SageMaker names of the endpoints.
    """

    def __init__(self, names: Names, endpoints: Sequence[str]) -> None:
        self._names = names
        self._endpoints = list(endpoints)

    def read_settings(self) -> iam.PolicyStatement:
        """Read the endpoints' settings."""
        return allow(
            "ReadSettings", ["ssm:GetParameter"], [self._names.parameter_arn(name) for name in self._endpoints]
        )

    def describe_endpoints(self) -> iam.PolicyStatement:
        """Look at the endpoints."""
        return allow("DescribeEndpoints", ["sagemaker:DescribeEndpoint"], self._sagemaker("endpoint"))

    def describe_models(self) -> list[iam.PolicyStatement]:
        """Look at which models the endpoints' configs name, and where these come from."""
        return [
            allow("DescribeConfigs", ["sagemaker:DescribeEndpointConfig"], self._sagemaker("endpoint-config", "-*")),
            allow("DescribeModels", ["sagemaker:DescribeModel"], self._sagemaker("model", "-*")),
        ]

    def change_endpoints(self) -> list[iam.PolicyStatement]:
        """Look at the endpoints, call them and change what runs on them."""
        actions = ["DescribeEndpoint", "InvokeEndpoint", "UpdateEndpoint", "UpdateEndpointWeightsAndCapacities"]
        return [
            allow("ChangeEndpoints", [f"sagemaker:{action}" for action in actions], self._sagemaker("endpoint")),
            allow("ChangeToConfigs", ["sagemaker:UpdateEndpoint"], self._sagemaker("endpoint-config", "-*")),
        ]

    def manage_configs(self) -> list[iam.PolicyStatement]:
        """Make, read and delete the endpoints' configs and models, under the endpoints' names only."""
        return [
            self._manage("Configs", "EndpointConfig", "endpoint-config"),
            self._manage("Models", "Model", "model"),
        ]

    def pass_execution_roles(self) -> iam.PolicyStatement:
        """Give the endpoints' containers their roles."""
        roles = [self._names.execution_role_arn(name) for name in self._endpoints]
        only = {"iam:PassedToService": "sagemaker.amazonaws.com"}
        return allow("PassExecutionRoles", ["iam:PassRole"], roles, StringEquals=only)

    def remove_configs(self) -> list[iam.PolicyStatement]:
        """Delete the endpoints' configs and models; a config says which models it used."""
        configs = ["sagemaker:DeleteEndpointConfig", "sagemaker:DescribeEndpointConfig"]
        return [
            allow("RemoveConfigs", configs, self._sagemaker("endpoint-config", "-*")),
            allow("RemoveModels", ["sagemaker:DeleteModel"], self._sagemaker("model", "-*")),
        ]

    def read_packages(self) -> iam.PolicyStatement:
        """Read the model packages of the endpoints' groups."""
        return allow("ReadPackages", ["sagemaker:DescribeModelPackage"], self._sagemaker("model-package", "/*"))

    def list_packages(self) -> iam.PolicyStatement:
        """List the model packages of the endpoints' groups."""
        resources = [*self._sagemaker("model-package-group"), *self._sagemaker("model-package", "/*")]
        return allow("ListPackages", ["sagemaker:ListModelPackages"], resources)

    def delete_packages(self) -> iam.PolicyStatement:
        """Delete the model packages of the endpoints' groups."""
        return allow("DeletePackages", ["sagemaker:DeleteModelPackage"], self._sagemaker("model-package", "/*"))

    def watch_alarms(self) -> iam.PolicyStatement:
        """AWS shows composite alarms, and metrics, only to who may see all of them."""
        return allow("WatchAlarms", ["cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData"], ["*"])

    def scale(self) -> list[iam.PolicyStatement]:
        """Keep the endpoints' scalable targets and scaling policies.

        Application Auto Scaling makes the alarms of a target-tracking policy itself, but refuses callers who could not.
        """
        alarms = [
            self._names.alarm_arn(f"TargetTracking-{contract.scalable_target(name, slot)}*")
            for name in self._endpoints
            for slot in contract.SLOTS
        ]
        return [
            self._scaling("KeepScaling", "DeregisterScalableTarget", "PutScalingPolicy", "RegisterScalableTarget"),
            allow("KeepScalingAlarms", ["cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"], alarms),
            let_scaling_work(self._names),
        ]

    def stop_scaling(self) -> iam.PolicyStatement:
        """Remove the endpoints' scalable targets; their policies go with them."""
        return self._scaling("StopScaling", "DeregisterScalableTarget")

    def _scaling(self, sid: str, *actions: str) -> iam.PolicyStatement:
        """Scalable targets have ARNs that AWS makes up, so the service they scale is what narrows this."""
        targets = self._names.arn("application-autoscaling", "scalable-target", "*")
        only = {"application-autoscaling:service-namespace": contract.SCALABLE_NAMESPACE}
        return allow(sid, [f"application-autoscaling:{action}" for action in actions], [targets], StringEquals=only)

    def _manage(self, sid: str, noun: str, kind: str) -> iam.PolicyStatement:
        actions = ["sagemaker:AddTags", *(f"sagemaker:{verb}{noun}" for verb in ("Create", "Delete", "Describe"))]
        return allow(f"Manage{sid}", actions, self._sagemaker(kind, "-*"))

    def _sagemaker(self, kind: str, suffix: str = "") -> list[str]:
        return [self._names.sagemaker_arn(kind, f"{name}{suffix}") for name in self._endpoints]
