"""What an endpoint's monitor is told, when it runs, and what people are told of it."""

from typing import Any

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from lambdas import contract
from stacks.config import Endpoint
from stacks.config.monitoring import Monitoring
from stacks.constructs.alert_topic import alert
from stacks.constructs.event_route import EventRoute, every
from stacks.constructs.lost_events import LostEvents
from stacks.names import Names

_LONGEST_PAUSE_MINUTES = 15
"""A run without a window that is due costs next to nothing; one with a job's result should not wait for long."""

_DRIFTED_WINDOWS, _OF_WINDOWS = 2, 3
_MISSED_RUNS = 3
_BEHIND = 3
"""Windows; one or two may wait for a job."""


class MonitoredEndpoint(Construct):
    """The parameter and the schedule of an endpoint's monitor, and alarms on drift and on silence.

    Parameters
    ----------
    scope, construct_id
        Where it stands.
    endpoint
        The endpoint as its environment's file has it.
    names
        Names in this stack.
    image, job_role
        What counts windows that are too large for the function, and under which role.
    baseline
        What the bootstrap model was trained on.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint: Endpoint,
        names: Names,
        image: str,
        job_role: iam.IRole,
        baseline: s3_assets.Asset | None,
    ) -> None:
        super().__init__(scope, construct_id)
        assert endpoint.monitoring is not None
        self.name = endpoint.full_name(names.environment)
        self.job_role, self.baseline = job_role, baseline
        self._monitoring = endpoint.monitoring
        self._pause = min(endpoint.monitoring.window_minutes, _LONGEST_PAUSE_MINUTES)
        settings = {
            "endpoint": self.name,
            "bucket": names.artefact_bucket,
            **_rules(endpoint.monitoring),
            **({"redacted": list(redacted)} if (redacted := endpoint.fleet.capture_redacted_columns) else {}),
            "bootstrap_version": endpoint.bootstrap.version,
            "bootstrap_baseline": baseline.s3_object_url if baseline is not None else None,
            "job": {
                **_machine(endpoint.monitoring),
                "image": image,
                "role": job_role.role_arn,
                "state_machine": names.counting_arn,
            },
        }
        ssm.StringParameter(
            self,
            "Parameter",
            parameter_name=contract.monitoring_parameter(names.environment, self.name),
            description=f"How {self.name} is monitored for drift",
            string_value=Stack.of(self).to_json_string(settings),
        )
        for alarm in (self._drift(), self._broken(), self._worse(), self._silence()):
            alert(alarm, names.topic_arn)

    def run(self, function: lambda_.Function, dead_letters: LostEvents) -> None:
        """Let `function` look at the endpoint again and again; a run that gets lost is made up for by the next."""
        route = EventRoute(
            self,
            "Schedule",
            description=f"Starts the monitor of {self.name}",
            dead_letters=dead_letters,
            schedule=every(self._pause),
            max_age_seconds=self._pause * 60,
            message={"endpoint": self.name},
        )
        route.to_function(function)

    def _drift(self) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "Drift",
            alarm_description=(
                f"Requests to {self.name} have drifted severely in {_DRIFTED_WINDOWS} of {_OF_WINDOWS} windows: see "
                "the windows' reports"
            ),
            metric=self._metric("SeverelyDriftedFeatures", self._monitoring.window_minutes),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_OF_WINDOWS,
            datapoints_to_alarm=_DRIFTED_WINDOWS,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _broken(self) -> cloudwatch.Alarm:
        about = f"What was captured of {self.name} is broken rather than drifted: see the window's report"
        return self._first("Suspect", "SuspectWindows", about)

    def _worse(self) -> cloudwatch.Alarm:
        about = f"The model of {self.name} is right less often than it was: see the window's report"
        return self._first("Accuracy", "AccuracyDrops", about)

    def _first(self, construct_id: str, metric: str, about: str) -> cloudwatch.Alarm:
        """An alarm that one window is enough for."""
        return cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=about,
            metric=self._metric(metric, self._monitoring.window_minutes),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _silence(self) -> cloudwatch.Alarm:
        return cloudwatch.Alarm(
            self,
            "Stalled",
            alarm_description=f"The monitor of {self.name} does not run, or cannot keep up: see its log",
            metric=self._metric("WindowsBehind", self._pause),
            threshold=_BEHIND,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=_MISSED_RUNS,
            datapoints_to_alarm=_MISSED_RUNS,
            treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
        )

    def _metric(self, name: str, minutes: int) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=contract.METRIC_NAMESPACE,
            metric_name=name,
            dimensions_map={"Endpoint": self.name},
            statistic="Maximum",
            period=Duration.minutes(minutes),
        )


def _rules(monitoring: Monitoring) -> dict[str, Any]:
    outputs, floors = monitoring.outputs, monitoring.floors
    return {
        "window_minutes": monitoring.window_minutes,
        "delay_minutes": monitoring.delay_minutes,
        "label_delay_windows": monitoring.label_delay_windows,
        "slices": list(monitoring.slices),
        "outputs": None
        if outputs is None
        else {"probability": outputs.probability, "prediction": outputs.prediction, "threshold": outputs.threshold},
        "floors": {"moderate": floors.moderate, "severe": floors.severe},
        "baseline_max_age_days": monitoring.baseline_max_age_days,
        "small_window_megabytes": monitoring.small_window_megabytes,
    }


def _machine(monitoring: Monitoring) -> dict[str, Any]:
    job = monitoring.job
    return {
        "instance_type": job.instance_type,
        "volume_gb": job.volume_gigabytes,
        "large_window_megabytes": job.large_window_megabytes,
        "parallel_jobs": job.parallel_jobs,
    }
