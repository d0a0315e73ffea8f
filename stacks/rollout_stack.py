"""The control loop: what starts rollouts, drives them, and says when it cannot."""

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from stacks.config import Environment
from stacks.constructs.alert_topic import AlertTopic
from stacks.constructs.answer_comparison import AnswerComparison
from stacks.constructs.artefact_permissions import verify_models
from stacks.constructs.compared import compared_endpoints
from stacks.constructs.control_function import ControlFunction
from stacks.constructs.encryption_key import EncryptionKey
from stacks.constructs.event_route import EventRoute, alarms_pattern
from stacks.constructs.heartbeat import Heartbeat
from stacks.constructs.log_group import removal_policy
from stacks.constructs.lost_events import LostEvents
from stacks.constructs.permissions import EndpointPermissions, allow, ask_hooks, find_due, keep_state, send, use_key
from stacks.constructs.rollout_table import RolloutTable
from stacks.constructs.standing_faults import StandingFaults
from stacks.constructs.work_queue import WorkQueue
from stacks.names import Names

_PUBLISHERS = ("cloudwatch.amazonaws.com", "events.amazonaws.com")
_LOOP_TIMEOUT = Duration.seconds(25)
_COMPARISON_TIMEOUT = Duration.seconds(60)
_RESOURCE_TIMEOUT = Duration.minutes(15)


class RolloutStack(Stack):
    """Table, functions, rules, queues and topic of an environment; every endpoint of it shares them."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, functions: Path) -> None:
        super().__init__(scope, construct_id, termination_protection=environment.retain_data)
        self._environment = environment
        self._code = lambda_.Code.from_asset(str(functions))
        self._endpoints = [endpoint.full_name(environment.environment) for endpoint in environment.endpoints]
        self._names = Names(self, environment.environment)
        self._permissions = EndpointPermissions(self._names, self._endpoints)
        self._key = self._encryption_key()
        self._table = RolloutTable(self, "Table", environment=environment, key=self._key)
        self._topic = AlertTopic(self, "Alerts", name=self._names.topic, key=self._key, emails=environment.alert_emails)
        self._timers = self._work_queue("Timers", "Timers of rollouts")
        self._lost = LostEvents(self, "LostEvents", holds="Events", key=self._key, topic_arn=self._topic.topic_arn)
        self._approvals()
        self._reactions()
        self._sweeper()
        self._resource_functions()
        if compared := compared_endpoints(environment):
            self._comparison(compared)

    def _encryption_key(self) -> EncryptionKey:
        name = self._environment.environment
        return EncryptionKey(
            self,
            "Key",
            description=f"Rollout state, queues, alerts and logs of {name}",
            alias=self._names.rollout_key,
            publishers=_PUBLISHERS,
            removal_policy=removal_policy(self._environment),
        )

    def _work_queue(self, construct_id: str, holds: str, consumer_timeout: Duration = _LOOP_TIMEOUT) -> WorkQueue:
        return WorkQueue(
            self,
            construct_id,
            holds=holds,
            key=self._key,
            topic_arn=self._topic.topic_arn,
            consumer_timeout=consumer_timeout,
        )

    def _approvals(self) -> None:
        function = self._function("admit", "Starts a rollout when a model package is approved", timeout=_LOOP_TIMEOUT)
        function.allow(self._permissions.read_packages(), self._permissions.read_settings(), *self._state("Query"))
        function.allow(*verify_models(self._names, self._endpoints))
        queue = self._work_queue("Approvals", "Approvals of model packages")
        queue.feed(function)
        route = EventRoute(
            self,
            "PackageStates",
            description="Model packages of this environment's groups that change",
            dead_letters=self._lost,
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Package State Change"],
                "detail": {"ModelPackageGroupName": self._endpoints},
            },
        )
        route.to_queue(queue.queue)

    def _reactions(self) -> None:
        about = "Drives rollouts on alarms, endpoint events, commands and timers"
        function = self._loop_function("react", about, "Query")
        function.keep_failures(self._lost.queue)
        self._timers.feed(function, reserved_concurrency=self._environment.reserved_concurrency)
        for name, pattern in self._reaction_patterns().items():
            route = EventRoute(
                self,
                name,
                description=f"{name} for rollouts of this environment",
                dead_letters=self._lost,
                pattern=pattern,
            )
            route.to_function(function.function)

    def _reaction_patterns(self) -> dict[str, Mapping[str, object]]:
        alarms = [
            self._names.alarm_arn(contract.unhealthy_alarm(name, slot))
            for name in self._endpoints
            for slot in contract.SLOTS
        ]
        return {
            "AlarmStates": alarms_pattern(alarms),
            "EndpointStates": {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Endpoint State Change"],
                "detail": {"EndpointName": self._endpoints},
            },
            "Commands": {
                "account": [self.account],  # a bus may take other accounts' events
                "source": [contract.OPERATOR_EVENT_SOURCE],
                "detail-type": [contract.OPERATOR_COMMAND_DETAIL_TYPE],
                "detail": {"endpoint": self._endpoints},
            },
        }

    def _sweeper(self) -> None:
        function = self._loop_function(
            "tick", "Looks at rollouts that are due, and for approvals that got lost", "Query", retried=False
        )
        function.allow(find_due(self._table))
        route = EventRoute(
            self,
            "EveryMinute",
            description="Starts the sweeper",
            dead_letters=self._lost,
            schedule="rate(1 minute)",
            max_age_seconds=60,
        )
        route.to_function(function.function)
        topic_arn = self._topic.topic_arn
        Heartbeat(self, "Heartbeat", function=function.function, topic_arn=topic_arn)
        StandingFaults(self, "Faults", environment=self._environment.environment, topic_arn=topic_arn)

    def _comparison(self, endpoints: list[str]) -> None:
        about = "Compares both versions' answers to captured requests"
        function = self._function("compare", about, timeout=_COMPARISON_TIMEOUT)
        function.allow(use_key(self._key))
        queue = self._work_queue("Captures", "Captured requests", _COMPARISON_TIMEOUT)
        AnswerComparison(
            self,
            "Answers",
            endpoints=endpoints,
            names=self._names,
            function=function,
            queue=queue,
            table=self._table,
            dead_letters=self._lost,
        )

    def _resource_functions(self) -> None:
        """Functions behind custom resources; the stacks of the endpoints know them by name."""
        permissions = self._permissions
        seed = self._function("seed", "Keeps values as they were when first deployed", timeout=Duration.minutes(1))
        seed.allow(keep_state(self._table, "DeleteItem", "GetItem", "PutItem"), use_key(self._key))
        fleet = self._function("fleet", "Hands a declared fleet to the rollouts", timeout=_RESOURCE_TIMEOUT)
        fleet.allow(
            *self._state(), permissions.describe_endpoints(), permissions.read_settings(), permissions.stop_scaling()
        )
        clean_up = self._function("cleanup", "Removes what rollouts made for an endpoint", timeout=_RESOURCE_TIMEOUT)
        clean_up.allow(
            keep_state(self._table, "DeleteItem", "GetItem", "PutItem", "Query"),
            use_key(self._key),
            permissions.describe_endpoints(),
            *permissions.remove_configs(),
            permissions.stop_scaling(),
        )

    def _state(self, *on_table: str) -> list[iam.PolicyStatement]:
        return [
            keep_state(self._table, "GetItem", "PutItem", *on_table),
            send(self._timers.queue, "SetTimers"),
            use_key(self._key),
        ]

    def _loop_function(self, handler: str, description: str, *on_table: str, retried: bool = True) -> ControlFunction:
        permissions = self._permissions
        function = self._function(
            handler,
            description,
            timeout=_LOOP_TIMEOUT,
            reserved_concurrency=self._environment.reserved_concurrency,
            retried=retried,
        )
        function.allow(
            *self._state(*on_table),
            *permissions.change_endpoints(),
            *permissions.manage_configs(),
            permissions.pass_execution_roles(),
            permissions.read_packages(),
            permissions.list_packages(),
            permissions.read_settings(),
            *verify_models(self._names, self._endpoints),
            permissions.watch_alarms(),
            *permissions.scale(),
            *ask_hooks(self._environment.hook_functions),
            allow("TellPeople", ["sns:Publish"], [self._topic.topic_arn]),
        )
        return function

    def _function(
        self,
        handler: str,
        description: str,
        *,
        timeout: Duration,
        reserved_concurrency: int | None = None,
        retried: bool = True,
    ) -> ControlFunction:
        return ControlFunction(
            self,
            handler.capitalize(),
            handler=handler,
            description=description,
            environment=self._environment,
            code=self._code,
            key=self._key,
            variables={
                contract.ENV_TABLE: self._table.table_name,
                contract.ENV_TIMER_QUEUE_URL: self._timers.queue.queue_url,
                contract.ENV_TOPIC_ARN: self._topic.topic_arn,
            },
            timeout=timeout,
            reserved_concurrency=reserved_concurrency,
            retried=retried,
        )
