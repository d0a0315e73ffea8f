"""A function that is called by an alias, and some instances of which may be kept ready."""

from collections.abc import Mapping

from aws_cdk import Duration, TimeZone
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.config.readiness import Provisioned, WorkingHours
from stacks.constructs.alert_topic import alert
from stacks.constructs.event_route import EventRoute
from stacks.constructs.front_door.door_function import DoorFunction
from stacks.constructs.front_door.shared import Shared

_WARM = {"tidegate": "warm"}
_WARM_SCHEDULE = "rate(5 minutes)"
"""Lambda keeps what is idle for longer than that; how much longer is not documented."""

_SPILLED_MINUTES, _OF_MINUTES = 3, 5


class LiveFunction(Construct):
    """A function, its newest version, and the alias that its callers know it by.

    A deploy publishes a version, makes as many of its instances ready as the old one had, and only then moves the
    alias: so nobody meets a cold start because of it.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    shared
        What it shares with others.
    endpoint
        The endpoint that it belongs to.
    handler, description
        Module of the inference package's handlers, and what it does.
    variables
        Environment variables, besides those that every function has.
    timeout
        Longest time a call may take.
    memory_megabytes
        Its memory.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        shared: Shared,
        endpoint: Endpoint,
        handler: str,
        description: str,
        variables: Mapping[str, str],
        timeout: Duration,
        memory_megabytes: int = 512,
        provisioned: Provisioned | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._shared = shared
        self.control = DoorFunction(
            self,
            "Control",
            shared=shared,
            endpoint=endpoint.name,
            handler=handler,
            description=description,
            variables=variables,
            timeout=timeout,
            memory_megabytes=memory_megabytes,
        )
        self.alias = lambda_.Alias(
            self,
            "Live",
            alias_name=contract.LIVE_ALIAS,
            version=self.control.function.current_version,
            provisioned_concurrent_executions=None if provisioned is None else provisioned.least,
        )
        self.alias.node.add_dependency(self.control.role)
        if provisioned is not None:
            self._keep_ready(provisioned)

    def keep_warm(self) -> None:
        """Ping one instance every few minutes; a second caller at the same time still meets a cold one."""
        route = EventRoute(
            self,
            "KeepWarm",
            description="Keeps an instance of the function from being taken away",
            dead_letters=self._shared.lost,
            schedule=_WARM_SCHEDULE,
            max_age_seconds=60,
            message=_WARM,
        )
        route.to_alias(self.alias)

    def _keep_ready(self, provisioned: Provisioned) -> None:
        scaling = self.alias.add_auto_scaling(min_capacity=provisioned.least, max_capacity=provisioned.most)
        scaling.scale_on_utilization(utilization_target=provisioned.utilisation_percent / 100)
        if provisioned.working_hours is not None:
            self._open_and_close(scaling, provisioned, provisioned.working_hours)
        self._spill_over()

    @staticmethod
    def _open_and_close(
        scaling: lambda_.IScalableFunctionAttribute, provisioned: Provisioned, hours: WorkingHours
    ) -> None:
        zone = TimeZone.of(hours.time_zone)
        for name, time, least in (("Open", hours.begin, hours.least), ("Close", hours.end, provisioned.least)):
            hour, minute = time.split(":")
            schedule = autoscaling.Schedule.cron(
                hour=str(int(hour)), minute=str(int(minute)), week_day=",".join(hours.days)
            )
            scaling.scale_on_schedule(
                name, schedule=schedule, time_zone=zone, min_capacity=least, max_capacity=provisioned.most
            )

    def _spill_over(self) -> None:
        """Requests that found no ready instance waited for one to start: more should be kept ready."""
        function = self.control.function
        spilled = cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name="ProvisionedConcurrencySpilloverInvocations",
            dimensions_map={
                "FunctionName": function.function_name,
                "Resource": f"{function.function_name}:{self.alias.alias_name}",
            },
            statistic="Sum",
            period=Duration.minutes(1),
        )
        alarm = cloudwatch.Alarm(
            self,
            "SpillOver",
            alarm_description="Requests keep finding no instance that is ready: raise provisioned.most or least",
            metric=spilled,
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_OF_MINUTES,
            datapoints_to_alarm=_SPILLED_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alert(alarm, self._shared.names.topic_arn)
