"""What CloudWatch tells others of an alarm's transition: EventBridge, and its actions."""

import json
import uuid
from typing import Any

from localcloud.physics.cloudwatch.alarms import Alarm, CompositeAlarm, MetricAlarm, State
from localcloud.physics.cloudwatch.queries import Query
from localcloud.physics.times import to_iso_millis

_REGION_NAMES = {
    "us-east-1": "US East (N. Virginia)",
    "us-east-2": "US East (Ohio)",
    "us-west-2": "US West (Oregon)",
    "eu-west-1": "EU (Ireland)",
    "eu-central-1": "EU (Frankfurt)",
}


def event_detail(alarm: Alarm, before: State) -> dict[str, Any]:
    """Return the detail of ``CloudWatch Alarm State Change``."""
    configuration = _configuration(alarm)
    if alarm.request.get("AlarmDescription"):
        configuration["description"] = alarm.request["AlarmDescription"]
    return {
        "alarmName": alarm.name,
        "configuration": configuration,
        "previousState": _state(before),
        "state": _state(alarm.state),
    }


def _configuration(alarm: Alarm) -> dict[str, Any]:
    if isinstance(alarm, CompositeAlarm):
        return {"alarmRule": alarm.rule.text}
    if isinstance(alarm, MetricAlarm):
        single = not alarm.request.get("Metrics")
        return {"metrics": [_event_query(query, alarm.watched, single=single) for query in alarm.queries]}
    return {}


def _event_query(query: Query, watched: str, *, single: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        # CloudWatch makes up an id for an alarm that was put without a list of metrics.
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(query))) if single else query["Id"],
        "returnData": query["Id"] == watched,
    }
    if query.get("Label"):
        shown["label"] = query["Label"]
    if query.get("Expression"):
        return {**shown, "expression": query["Expression"]}
    stat = query["MetricStat"]
    dimensions = {item["Name"]: item["Value"] for item in stat["Metric"].get("Dimensions") or []}
    metric = {"namespace": stat["Metric"]["Namespace"], "name": stat["Metric"]["MetricName"], "dimensions": dimensions}
    return {**shown, "metricStat": {"metric": metric, "period": int(stat["Period"]), "stat": stat["Stat"]}}


def _state(state: State) -> dict[str, Any]:
    shown = {"value": state.value, "reason": state.reason, "timestamp": to_iso_millis(state.at)}
    return {**shown, "reasonData": state.data} if state.data else shown


def is_scaling_policy(action_arn: str) -> bool:
    """Whether an action is a policy of Application Auto Scaling."""
    return action_arn.split(":")[2:3] == ["autoscaling"]


def action_payload(action_arn: str, alarm: Alarm, before: State, account: str, region: str) -> dict[str, Any]:
    """Return what an action is given: a scaling policy the reason's data, anything else the message."""
    if is_scaling_policy(action_arn):
        return scaling_payload(alarm.state.data)
    return action_message(alarm, before, account, region)


def scaling_payload(reason_data: str) -> dict[str, Any]:
    """Return StateReasonData for a scaling policy; what a client set that is no JSON object says nothing."""
    try:
        data = json.loads(reason_data or "{}")
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def action_message(alarm: Alarm, before: State, account: str, region: str) -> dict[str, Any]:
    """Return the message that an alarm's action carries (the body of the SNS message)."""
    request = alarm.request
    message: dict[str, Any] = {
        "AlarmName": alarm.name,
        "AlarmDescription": request.get("AlarmDescription"),
        "AWSAccountId": account,
        "AlarmConfigurationUpdatedTimestamp": to_iso_millis(alarm.configured_at),
        "NewStateValue": alarm.state.value,
        "NewStateReason": alarm.state.reason,
        "StateChangeTime": to_iso_millis(alarm.state.at),
        "Region": _REGION_NAMES.get(region, region),
        "AlarmArn": alarm.arn,
        "OldStateValue": before.value,
        "OKActions": request.get("OKActions") or [],
        "AlarmActions": request.get("AlarmActions") or [],
        "InsufficientDataActions": request.get("InsufficientDataActions") or [],
    }
    if isinstance(alarm, CompositeAlarm):
        return {**message, "AlarmRule": alarm.rule.text}
    return {**message, "Trigger": _trigger(alarm)}


def _trigger(alarm: Alarm) -> dict[str, Any]:
    request = alarm.request
    names = (
        "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Unit", "Period", "EvaluationPeriods",
        "DatapointsToAlarm", "ComparisonOperator", "Threshold", "TreatMissingData", "Metrics",
    )  # fmt: skip
    trigger: dict[str, Any] = {name: request[name] for name in names if request.get(name) is not None}
    if request.get("Dimensions"):
        trigger["Dimensions"] = [{"name": item["Name"], "value": item["Value"]} for item in request["Dimensions"]]
    return trigger
