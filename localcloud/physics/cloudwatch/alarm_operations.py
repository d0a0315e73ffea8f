"""CloudWatch's operations on alarms."""

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.clock import Clock
from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.alarms import COMPOSITE, METRIC, Alarm, CompositeAlarm, composite_alarm, metric_alarm
from localcloud.physics.cloudwatch.watch import AlarmWatch
from localcloud.physics.paging import page
from localcloud.physics.times import to_epoch
from localcloud.service import operation

_MOST_NAMES = 100
_MOST_RECORDS = 100
_DEFAULT_RECORDS = 50


class AlarmOperations:
    """Putting, describing and deleting alarms."""

    def __init__(self, clock: Clock, watch: AlarmWatch, account: str, region: str) -> None:
        self._clock = clock
        self._watch = watch
        self._arn_prefix = f"arn:aws:cloudwatch:{region}:{account}:alarm:"
        self._tags: dict[str, dict[str, str]] = {}

    @operation("PutMetricAlarm")
    def put_metric_alarm(self, request: Mapping[str, Any]) -> None:
        """Create or change an alarm on a metric or an expression."""
        self._save(metric_alarm(request, self._arn(request), self._clock.now()))

    @operation("PutCompositeAlarm")
    def put_composite_alarm(self, request: Mapping[str, Any]) -> None:
        """Create or change an alarm on other alarms; those must exist."""
        alarm = composite_alarm(request, self._arn(request), self._clock.now())
        with self._watch.lock:
            missing = [name for name in alarm.rule.alarms if name not in self._watch.alarms]
            if missing:
                raise AwsError(
                    "ValidationError",
                    f"Could not save the composite alarm as alarms [{', '.join(missing)}] in the alarm rule "
                    "do not exist",
                )
            self._save(alarm)

    def _save(self, alarm: Alarm) -> None:
        given = {tag["Key"]: tag["Value"] for tag in alarm.request.get("Tags") or []}
        with self._watch.lock:
            if alarm.name not in self._watch.alarms:  # on an update CloudWatch ignores the tags
                self._tags[alarm.arn] = given
            self._watch.put(alarm)

    @operation("DescribeAlarms")
    def describe_alarms(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Describe alarms; metric alarms only, unless AlarmTypes says otherwise."""
        if len(request.get("AlarmNames") or []) > _MOST_NAMES:
            raise AwsError("ValidationError", f"AlarmNames must have at most {_MOST_NAMES} members")
        with self._watch.lock:
            found = sorted(self._selected(request), key=lambda alarm: alarm.name)
            size = min(int(request.get("MaxRecords") or _DEFAULT_RECORDS), _MOST_RECORDS)
            if request.get("AlarmNames"):
                size = _MOST_NAMES
            chosen, token = page(found, request.get("NextToken"), size)
            described = {kind: [a.described() for a in chosen if a.kind == kind] for kind in (METRIC, COMPOSITE)}
        answer: dict[str, Any] = {"MetricAlarms": described[METRIC], "CompositeAlarms": described[COMPOSITE]}
        return {**answer, "NextToken": token} if token else answer

    def _selected(self, request: Mapping[str, Any]) -> Iterable[Alarm]:
        alarms = self._watch.alarms
        if request.get("ChildrenOfAlarmName"):
            parent = alarms.get(request["ChildrenOfAlarmName"])
            names = parent.rule.alarms if isinstance(parent, CompositeAlarm) else ()
            return [alarms[name] for name in names if name in alarms]
        if request.get("ParentsOfAlarmName"):
            return [alarm for alarm in self._watch.composites() if request["ParentsOfAlarmName"] in alarm.rule.alarms]
        return [alarm for alarm in alarms.values() if _fits(alarm, request)]

    @operation("DescribeAlarmHistory")
    def describe_alarm_history(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return what happened to alarms, latest first unless asked otherwise."""
        with self._watch.lock:
            alarms = [a for a in self._watch.alarms.values() if request.get("AlarmName") in (None, a.name)]
            items = [item for alarm in alarms for item in alarm.history if _in_span(item, request)]
        items.sort(key=lambda item: item["Timestamp"], reverse=request.get("ScanBy") != "TimestampAscending")
        chosen, token = page(items, request.get("NextToken"), int(request.get("MaxRecords") or _MOST_RECORDS))
        answer: dict[str, Any] = {"AlarmHistoryItems": chosen}
        return {**answer, "NextToken": token} if token else answer

    @operation("DeleteAlarms")
    def delete_alarms(self, request: Mapping[str, Any]) -> None:
        """Delete alarms, all or none; one that a remaining composite refers to cannot go."""
        names = request["AlarmNames"]
        with self._watch.lock:
            for composite in self._watch.composites():
                used = [name for name in names if name in composite.rule.alarms]
                if composite.name not in names and used:
                    raise AwsError(
                        "ValidationError",
                        f"Cannot delete {used[0]} as there are composite alarm(s) depending on it: {composite.name}",
                    )
            self._watch.remove(names)
            for name in names:
                self._tags.pop(self._arn_prefix + name, None)

    @operation("SetAlarmState")
    def set_alarm_state(self, request: Mapping[str, Any]) -> None:
        """Put an alarm into a state for a while."""
        with self._watch.lock:
            if request["AlarmName"] not in self._watch.alarms:
                raise AwsError("ResourceNotFound", f"Alarm {request['AlarmName']} does not exist", 404)
            data = request.get("StateReasonData") or ""
            self._watch.set_state(request["AlarmName"], request["StateValue"], request["StateReason"], data)

    @operation("EnableAlarmActions")
    def enable_alarm_actions(self, request: Mapping[str, Any]) -> None:
        """Let alarms act again."""
        self._switch_actions(request["AlarmNames"], enabled=True)

    @operation("DisableAlarmActions")
    def disable_alarm_actions(self, request: Mapping[str, Any]) -> None:
        """Keep alarms from acting; they change state all the same."""
        self._switch_actions(request["AlarmNames"], enabled=False)

    def _switch_actions(self, names: list[str], *, enabled: bool) -> None:
        with self._watch.lock:
            for name in names:
                if name in self._watch.alarms:
                    self._watch.alarms[name].actions_enabled = enabled

    @operation("TagResource")
    def tag_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Add tags to an alarm."""
        self._tags_of(request).update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
        return {}

    @operation("UntagResource")
    def untag_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Remove tags from an alarm."""
        for key in request["TagKeys"]:
            self._tags_of(request).pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """List an alarm's tags."""
        return {"Tags": [{"Key": key, "Value": value} for key, value in self._tags_of(request).items()]}

    def _tags_of(self, request: Mapping[str, Any]) -> dict[str, str]:
        if request["ResourceARN"] not in self._tags:
            raise AwsError("ResourceNotFoundException", f"{request['ResourceARN']} does not exist", 404)
        return self._tags[request["ResourceARN"]]

    def _arn(self, request: Mapping[str, Any]) -> str:
        return f"{self._arn_prefix}{request['AlarmName']}"


def _fits(alarm: Alarm, request: Mapping[str, Any]) -> bool:
    names, action = request.get("AlarmNames"), request.get("ActionPrefix")
    return (
        alarm.kind in (request.get("AlarmTypes") or [METRIC])
        and (not names or alarm.name in names)
        and alarm.name.startswith(request.get("AlarmNamePrefix") or "")
        and request.get("StateValue") in (None, alarm.state.value)
        and (not action or any(arn.startswith(action) for arn in _all_actions(alarm)))
    )


def _all_actions(alarm: Alarm) -> list[str]:
    kinds = ("OKActions", "AlarmActions", "InsufficientDataActions")
    return [arn for kind in kinds for arn in alarm.request.get(kind) or []]


def _in_span(item: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
    at = item["Timestamp"].timestamp()
    kinds = request.get("AlarmTypes") or [METRIC, COMPOSITE]
    return (
        request.get("HistoryItemType") in (None, item["HistoryItemType"])
        and item["AlarmType"] in kinds
        and (not request.get("StartDate") or at >= to_epoch(request["StartDate"]))
        and (not request.get("EndDate") or at <= to_epoch(request["EndDate"]))
    )
