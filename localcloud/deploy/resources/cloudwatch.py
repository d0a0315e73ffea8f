"""AWS::CloudWatch: alarms, composite alarms and dashboards."""

import json
from typing import ClassVar

from localcloud.deploy.resource_type import Properties, ResourceType
from localcloud.deploy.resources.shape import without
from localcloud.deploy.scope import Scope, ignoring
from localcloud.deploy.state import Made
from localcloud.deploy.tags import tag_changes, tag_list, tag_map

_GONE = ("ResourceNotFound", "ResourceNotFoundException")


class _AnyAlarm(ResourceType):
    """What metric alarms and composite alarms have in common."""

    operation: ClassVar[str]
    replaced_by: ClassVar[frozenset[str]] = frozenset({"AlarmName"})
    name_property: ClassVar[str | None] = "AlarmName"
    attributes: ClassVar[frozenset[str]] = frozenset({"Arn"})
    tag_form: ClassVar[str | None] = "list"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the alarm."""
        name = desired.get("AlarmName") or scope.name(255)
        tags = tag_list(tag_map(desired.get("Tags"))) or None
        settings = {**without(desired, "Tags"), "AlarmName": name}
        scope.call("cloudwatch", self.operation, Tags=tags, **settings)
        return Made(name, {"Arn": scope.arn("cloudwatch", f"alarm:{name}")})

    def update(self, scope: Scope, made: Made, old: Properties, new: Properties) -> Made:
        """Put the alarm again, which replaces all its settings; tags have calls of their own."""
        if without(old, "Tags") != without(new, "Tags"):
            settings = {**without(new, "Tags"), "AlarmName": made.physical_id}
            scope.call("cloudwatch", self.operation, **settings)
        to_set, removed = tag_changes(old, new)
        arn = made.attributes["Arn"]
        if to_set:
            scope.call("cloudwatch", "TagResource", ResourceARN=arn, Tags=tag_list(to_set))
        if removed:
            scope.call("cloudwatch", "UntagResource", ResourceARN=arn, TagKeys=removed)
        return made

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the alarm."""
        with ignoring(*_GONE):
            scope.call("cloudwatch", "DeleteAlarms", AlarmNames=[made.physical_id])


class Alarm(_AnyAlarm):
    """An alarm on a metric or on metric math."""

    name: ClassVar[str] = "AWS::CloudWatch::Alarm"
    operation: ClassVar[str] = "PutMetricAlarm"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "ComparisonOperator", "DatapointsToAlarm",
         "Dimensions", "EvaluateLowSampleCountPercentile", "EvaluationPeriods", "ExtendedStatistic",
         "InsufficientDataActions", "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Tags",
         "Threshold", "TreatMissingData", "Unit"}
    )  # fmt: skip


class CompositeAlarm(_AnyAlarm):
    """An alarm on the states of other alarms."""

    name: ClassVar[str] = "AWS::CloudWatch::CompositeAlarm"
    operation: ClassVar[str] = "PutCompositeAlarm"
    handled: ClassVar[frozenset[str]] = frozenset(
        {"ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName", "AlarmRule", "InsufficientDataActions",
         "OKActions", "Tags"}
    )  # fmt: skip
    required: ClassVar[frozenset[str]] = frozenset({"AlarmRule"})


class Dashboard(ResourceType):
    """A dashboard."""

    name: ClassVar[str] = "AWS::CloudWatch::Dashboard"
    handled: ClassVar[frozenset[str]] = frozenset({"DashboardBody", "DashboardName"})
    required: ClassVar[frozenset[str]] = frozenset({"DashboardBody"})
    replaced_by: ClassVar[frozenset[str]] = frozenset({"DashboardName"})
    name_property: ClassVar[str | None] = "DashboardName"

    def create(self, scope: Scope, desired: Properties) -> Made:
        """Put the dashboard."""
        name = desired.get("DashboardName") or scope.name(255)
        return self._put(scope, name, desired)

    def update(self, scope: Scope, made: Made, _old: Properties, new: Properties) -> Made:
        """Put the dashboard again."""
        return self._put(scope, made.physical_id, new)

    def delete(self, scope: Scope, made: Made, _properties: Properties) -> None:
        """Delete the dashboard."""
        with ignoring(*_GONE):
            scope.call("cloudwatch", "DeleteDashboards", DashboardNames=[made.physical_id])

    def _put(self, scope: Scope, name: str, properties: Properties) -> Made:
        body = properties["DashboardBody"]
        text = body if isinstance(body, str) else json.dumps(body)
        scope.call("cloudwatch", "PutDashboard", DashboardName=name, DashboardBody=text)
        return Made(name)
