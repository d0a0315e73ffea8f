import json
from typing import Any

import pytest

from localcloud.errors import AwsError

TOPIC = "arn:aws:sns:us-east-1:123456789012:topic"
EVENT = "CloudWatch Alarm State Change"


def _metric(name: str, stat: str) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": "rain"}, {"Name": "VariantName", "Value": "green"}]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": name, "Dimensions": dimensions}
    return {"Metric": metric, "Period": 10, "Stat": stat}


def _error_rate_alarm(world: Any, name: str = "5xx", **more: Any) -> None:
    world.call(
        "PutMetricAlarm",
        **{
            "AlarmName": name,
            "Metrics": [
                {"Id": "errors", "MetricStat": _metric("Invocation5XXErrors", "Sum"), "ReturnData": False},
                {"Id": "invocations", "MetricStat": _metric("Invocations", "Sum"), "ReturnData": False},
                {"Id": "rate", "Expression": "IF(invocations >= 10, 100 * errors / invocations)", "ReturnData": True},
            ],
            "EvaluationPeriods": 3,
            "DatapointsToAlarm": 2,
            "Threshold": 5.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "missing",
            "AlarmActions": [TOPIC],
            **more,
        },
    )


def _traffic(world: Any, periods: int, requests: int, errors: int) -> None:
    dimensions = {"EndpointName": "rain", "VariantName": "green"}
    for _ in range(periods):
        world.metrics.put("AWS/SageMaker", "Invocations", dimensions, 1.0, count=requests)
        world.metrics.put("AWS/SageMaker", "Invocation5XXErrors", dimensions, 1.0, count=errors)
        world.clock.advance(10)


def _state(world: Any, name: str = "5xx") -> str:
    kinds = ["MetricAlarm", "CompositeAlarm"]
    answer = world.call("DescribeAlarms", AlarmNames=[name], AlarmTypes=kinds)
    (alarm,) = answer["MetricAlarms"] + answer["CompositeAlarms"]
    return str(alarm["StateValue"])


def _transitions(world: Any, name: str = "5xx") -> list[tuple[str, str]]:
    details = [detail for detail in world.events.details(EVENT) if detail["alarmName"] == name]
    return [(detail["previousState"]["value"], detail["state"]["value"]) for detail in details]


def test_rate_alarm_goes_from_no_data_to_ok_to_alarm_and_back_to_no_data(world: Any) -> None:
    _error_rate_alarm(world)
    world.clock.advance(30)
    assert _state(world) == "INSUFFICIENT_DATA"
    _traffic(world, periods=3, requests=100, errors=0)
    world.clock.advance(2)
    assert _state(world) == "OK"
    _traffic(world, periods=3, requests=100, errors=50)
    assert _state(world) == "ALARM"
    world.clock.advance(70)
    assert _state(world) == "INSUFFICIENT_DATA"
    assert _transitions(world) == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "INSUFFICIENT_DATA")]


def test_too_few_requests_are_no_data_however_many_fail(world: Any) -> None:
    _error_rate_alarm(world)
    _traffic(world, periods=6, requests=9, errors=9)
    assert _state(world) == "INSUFFICIENT_DATA"


def test_high_resolution_alarm_reacts_within_a_period_and_the_delay(world: Any) -> None:
    _error_rate_alarm(world, EvaluationPeriods=1, DatapointsToAlarm=1)
    _traffic(world, periods=1, requests=100, errors=50)
    assert _state(world) == "INSUFFICIENT_DATA"
    world.clock.advance(world.settings.metric_delay_seconds)
    assert _state(world) == "ALARM"


def test_standard_alarm_is_evaluated_once_a_minute(world: Any) -> None:
    world.call(
        "PutMetricAlarm",
        AlarmName="beat",
        Namespace="N",
        MetricName="Beat",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="LessThanThreshold",
        TreatMissingData="breaching",
    )
    world.clock.advance(12)
    assert _state(world, "beat") == "ALARM"
    world.metrics.put("N", "Beat", {}, 1.0)
    world.clock.advance(45)
    assert _state(world, "beat") == "ALARM"
    world.clock.advance(10)
    assert _state(world, "beat") == "OK"
    world.call("SetAlarmState", AlarmName="beat", StateValue="INSUFFICIENT_DATA", StateReason="until the next minute")
    world.clock.advance(40)
    assert _state(world, "beat") == "INSUFFICIENT_DATA"


def test_event_and_action_tell_what_happened_as_cloudwatch_does(world: Any) -> None:
    _error_rate_alarm(world, AlarmDescription="share of failures")
    _traffic(world, periods=3, requests=100, errors=50)
    world.clock.advance(2)
    source, _, detail, resources = world.events.events[-1]
    assert source == "aws.cloudwatch"
    assert resources == ["arn:aws:cloudwatch:us-east-1:123456789012:alarm:5xx"]
    assert detail["configuration"]["description"] == "share of failures"
    errors, _, rate = detail["configuration"]["metrics"]
    assert rate["returnData"]
    assert rate["expression"].startswith("IF(")
    assert errors["metricStat"] == {
        "metric": {
            "namespace": "AWS/SageMaker",
            "name": "Invocation5XXErrors",
            "dimensions": {"EndpointName": "rain", "VariantName": "green"},
        },
        "period": 10,
        "stat": "Sum",
    }
    assert detail["state"]["reason"].startswith("Threshold Crossed: 2 out of the last 3 datapoints [50.0 (")
    assert "were greater than the threshold (5.0) (minimum 2 datapoints for" in detail["state"]["reason"]
    assert json.loads(detail["state"]["reasonData"])["recentDatapoints"] == [50.0, 50.0]
    ((action, payload),) = world.actions.actions
    assert action == TOPIC
    assert (payload["NewStateValue"], payload["Region"]) == ("ALARM", "US East (N. Virginia)")


def test_a_metric_asked_for_in_another_unit_has_no_data(world: Any) -> None:
    for unit in ("Microseconds", "Milliseconds"):
        world.call(
            "PutMetricAlarm",
            AlarmName=unit,
            Namespace="N",
            MetricName="Latency",
            ExtendedStatistic="p99",
            Period=10,
            Unit=unit,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    world.metrics.put("N", "Latency", {}, 5.0, "Microseconds")
    world.clock.advance(12)
    assert (_state(world, "Microseconds"), _state(world, "Milliseconds")) == ("ALARM", "INSUFFICIENT_DATA")


def test_an_alarm_that_cannot_be_evaluated_does_not_stop_the_others(world: Any) -> None:
    broken = [
        {"Id": "m", "MetricStat": _metric("Invocations", "Sum"), "ReturnData": False},
        {"Id": "e", "Expression": "nowhere * m"},
    ]
    _error_rate_alarm(world, "broken", Metrics=broken)
    _error_rate_alarm(world)
    _traffic(world, periods=4, requests=100, errors=50)
    assert (_state(world, "broken"), _state(world)) == ("INSUFFICIENT_DATA", "ALARM")


def test_disabled_actions_are_not_carried_out(world: Any) -> None:
    _error_rate_alarm(world)
    world.call("DisableAlarmActions", AlarmNames=["5xx"])
    _traffic(world, periods=3, requests=100, errors=50)
    assert _state(world) == "ALARM"
    assert world.actions.actions == []


def test_composite_follows_its_children_at_once(world: Any) -> None:
    _error_rate_alarm(world, "a")
    _error_rate_alarm(world, "b c", AlarmActions=[])
    world.call("PutCompositeAlarm", AlarmName="both", AlarmRule='ALARM(a) OR ALARM("b c")', AlarmActions=[TOPIC])
    world.call("PutCompositeAlarm", AlarmName="over", AlarmRule="ALARM(both) AND NOT OK(a)")
    assert _state(world, "both") == "INSUFFICIENT_DATA"
    world.clock.advance(1)
    assert (_state(world, "both"), _state(world, "over")) == ("OK", "OK")
    world.call("SetAlarmState", AlarmName="b c", StateValue="ALARM", StateReason="test")
    assert (_state(world, "both"), _state(world, "over")) == ("ALARM", "ALARM")
    detail = next(d for d in reversed(world.events.details(EVENT)) if d["alarmName"] == "both")
    assert detail["configuration"] == {"alarmRule": 'ALARM(a) OR ALARM("b c")'}
    assert "alarm:b c transitioned to ALARM at Tuesday 14 November, 2023" in detail["state"]["reason"]
    assert [action for action, payload in world.actions.actions if payload["AlarmName"] == "both"] == [TOPIC]


def test_state_that_was_set_lasts_until_the_next_evaluation(world: Any) -> None:
    _error_rate_alarm(world)
    _traffic(world, periods=4, requests=100, errors=0)
    world.call("SetAlarmState", AlarmName="5xx", StateValue="ALARM", StateReason="drill")
    assert _state(world) == "ALARM"
    _traffic(world, periods=1, requests=100, errors=0)
    assert _state(world) == "OK"


def test_describe_returns_composites_only_when_asked(world: Any) -> None:
    _error_rate_alarm(world)
    world.call("PutCompositeAlarm", AlarmName="5xx-or", AlarmRule="ALARM(5xx)")
    plain = world.call("DescribeAlarms", AlarmNamePrefix="5xx")
    assert ([a["AlarmName"] for a in plain["MetricAlarms"]], plain["CompositeAlarms"]) == (["5xx"], [])
    both = world.call("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"], MaxRecords=1)
    assert (len(both["MetricAlarms"]), len(both["CompositeAlarms"])) == (1, 0)
    rest = world.call("DescribeAlarms", AlarmTypes=["CompositeAlarm", "MetricAlarm"], NextToken=both["NextToken"])
    assert [a["AlarmName"] for a in rest["CompositeAlarms"]] == ["5xx-or"]
    children = world.call("DescribeAlarms", ChildrenOfAlarmName="5xx-or")
    assert [a["AlarmName"] for a in children["MetricAlarms"]] == ["5xx"]
    assert world.call("DescribeAlarms", AlarmNames=["nope"])["MetricAlarms"] == []
    with pytest.raises(AwsError, match="at most 100"):
        world.call("DescribeAlarms", AlarmNames=[str(n) for n in range(101)])


def test_changing_an_alarm_keeps_its_state_and_transition_time(world: Any) -> None:
    _error_rate_alarm(world)
    _traffic(world, periods=4, requests=100, errors=50)
    (before,) = world.call("DescribeAlarms", AlarmNames=["5xx"])["MetricAlarms"]
    _error_rate_alarm(world, Threshold=6.0)
    (after,) = world.call("DescribeAlarms", AlarmNames=["5xx"])["MetricAlarms"]
    assert (after["StateValue"], after["Threshold"]) == ("ALARM", 6.0)
    assert after["StateTransitionedTimestamp"] == before["StateTransitionedTimestamp"]
    assert after["AlarmConfigurationUpdatedTimestamp"] > before["AlarmConfigurationUpdatedTimestamp"]


def test_alarms_that_composites_need_cannot_be_deleted_before_them(world: Any) -> None:
    _error_rate_alarm(world)
    world.call("PutCompositeAlarm", AlarmName="c", AlarmRule="ALARM(5xx)")
    with pytest.raises(AwsError, match="depending on it: c"):
        world.call("DeleteAlarms", AlarmNames=["5xx"])
    world.call("DeleteAlarms", AlarmNames=["5xx", "c"])
    assert world.call("DescribeAlarms", AlarmTypes=["MetricAlarm", "CompositeAlarm"])["MetricAlarms"] == []


@pytest.mark.parametrize("rule", ["ALARM(nope)", "ALARM(5xx", "ALARM(5xx) XOR OK(5xx)", "MAYBE(5xx)", ""])
def test_rules_that_make_no_sense_are_refused(world: Any, rule: str) -> None:
    _error_rate_alarm(world)
    with pytest.raises(AwsError):
        world.call("PutCompositeAlarm", AlarmName="c", AlarmRule=rule)


def test_history_tells_creation_transitions_and_actions(world: Any) -> None:
    _error_rate_alarm(world)
    _traffic(world, periods=3, requests=100, errors=50)
    world.clock.advance(2)
    items = world.call("DescribeAlarmHistory", AlarmName="5xx", ScanBy="TimestampAscending")["AlarmHistoryItems"]
    kinds = [item["HistoryItemType"] for item in items]
    assert kinds == ["ConfigurationUpdate", "StateUpdate", "Action"]
    assert "ALARM" in items[1]["HistorySummary"]
