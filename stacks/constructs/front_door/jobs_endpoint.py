"""The endpoint that answers jobs: who keeps it, and how it is heard.

It stands in no template, for it follows what is live: a deploy must not set it back.
"""

from collections.abc import Mapping

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.event_route import EventRoute
from stacks.constructs.front_door.door_function import DoorFunction
from stacks.constructs.front_door.permissions import FrontDoorPermissions
from stacks.constructs.front_door.shared import Shared
from stacks.constructs.standing_faults import AnyFault

_HANDLER = "follow"
_TIMEOUT = Duration.minutes(15)
"""As long as the endpoint may take to go with its stack; a look takes seconds."""


class JobsEndpoint(Construct):
    """The function that keeps the endpoint, what tells it, and the topic by which SageMaker tells of answers.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint
        The endpoint whose live version it follows.
    queue
        Of the jobs, where answers are told as well.
    permissions
        What the function may do.
    variables
        What it is told.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        shared: Shared,
        endpoint: Endpoint,
        queue: sqs.Queue,
        permissions: FrontDoorPermissions,
        variables: Mapping[str, str],
    ) -> None:
        super().__init__(scope, construct_id)
        self._shared, self._endpoint = shared, endpoint
        self._name = endpoint.full_name(shared.environment.environment)
        topic = self._topic()
        self._tell(topic, queue)
        self._function = self._following({**variables, contract.ENV_JOBS_TOPIC_ARN: topic.topic_arn})
        self._function.allow(*permissions.follow())
        self._listen(self._life())
        AnyFault(
            self,
            "Faults",
            environment=shared.environment.environment,
            handlers=(_HANDLER,),
            meaning=f"The endpoint that answers the jobs of {self._name} cannot follow it: see the function's log",
            topic_arn=shared.names.topic_arn,
        )

    def _topic(self) -> sns.Topic:
        """SageMaker publishes under the role of the endpoint's containers, and nobody else may."""
        names = self._shared.names
        name = contract.jobs_topic(names.environment, self._endpoint.name)
        topic = sns.Topic(self, "Answered", topic_name=name, master_key=self._shared.key, enforce_ssl=True)
        others = {"aws:PrincipalArn": names.execution_role_arn(self._name)}
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlySageMakerPublishes",
                effect=iam.Effect.DENY,
                principals=[iam.AnyPrincipal()],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnNotEquals": others},
            )
        )
        return topic

    def _tell(self, topic: sns.Topic, queue: sqs.Queue) -> None:
        """Not by the CDK's own subscription, which would have the key's policy name the topic that the key encrypts."""
        queue.add_to_resource_policy(
            iam.PolicyStatement(
                sid="TellOfAnswers",
                principals=[iam.ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
            )
        )
        sns.CfnSubscription(
            self,
            "Told",
            topic_arn=topic.topic_arn,
            protocol="sqs",
            endpoint=queue.queue_arn,
            raw_message_delivery=True,
        )

    def _following(self, variables: Mapping[str, str]) -> ControlFunction:
        return DoorFunction(
            self,
            "Follow",
            shared=self._shared,
            endpoint=self._endpoint.name,
            handler=_HANDLER,
            description=f"Keeps the endpoint that answers the jobs of {self._name} on its live version",
            variables=variables,
            timeout=_TIMEOUT,
        )

    def _life(self) -> CustomResource:
        resource = CustomResource(
            self,
            "Life",
            resource_type=contract.JOBS_ENDPOINT_RESOURCE_TYPE,
            service_token=self._function.function.function_arn,
            service_timeout=Duration.minutes(20),
            properties={"EndpointName": contract.jobs_endpoint(self._name)},
        )
        resource.node.add_dependency(self._function.role)
        return resource

    def _listen(self, life: CustomResource) -> None:
        changes = {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Endpoint State Change"],
            "detail": {"EndpointName": [self._name, contract.jobs_endpoint(self._name)]},
        }
        about = f"the endpoint that answers the jobs of {self._name}"
        lost = self._shared.lost
        routes = (
            EventRoute(self, "Changes", description=f"Changes, for {about}", dead_letters=lost, pattern=changes),
            # A promotion ends after the last of these events, and any of them may get lost.
            EventRoute(
                self,
                "Sweeps",
                description=f"Looks after {about}",
                dead_letters=lost,
                schedule="rate(1 minute)",
                max_age_seconds=60,
            ),
        )
        for route in routes:
            route.to_function(self._function.function)
            # They go before the endpoint does: nobody must make it anew.
            route.node.add_dependency(life)
