"""Both slots are watched from the start, with thresholds of the file and no verdict without traffic."""

import pytest

from lambdas import contract


@pytest.fixture(params=contract.SLOTS)
def slot(request):
    return request.param


def alarm(each, name):
    (found,) = [
        resource["Properties"]
        for kind in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        for resource in each.serving.of_type(kind).values()
        if resource["Properties"]["AlarmName"] == name
    ]
    return found


def endpoint(each):
    return each.environment.endpoints[0]


def full_name(each):
    return endpoint(each).full_name(each.environment.environment)


def series(properties):
    return {one["Id"]: one["MetricStat"] for one in properties["Metrics"] if "MetricStat" in one}


def test_error_rate_needs_traffic_to_say_anything(each, slot):
    properties = alarm(each, contract.error_rate_alarm(full_name(each), slot))
    (rate,) = [one for one in properties["Metrics"] if one["ReturnData"]]
    least = endpoint(each).alarms.min_requests
    assert rate["Expression"] == f"IF(invocations >= {least}, 100 * errors / invocations)"
    metrics = series(properties)
    assert metrics["invocations"]["Metric"]["MetricName"] == "Invocations"
    assert metrics["errors"]["Metric"]["MetricName"] == "Invocation5XXErrors"
    assert {one["Stat"] for one in metrics.values()} == {"Sum"}
    assert properties["Threshold"] == endpoint(each).alarms.error_rate_percent


def test_latency_is_a_percentile_of_enough_samples_in_microseconds(each, slot):
    properties = alarm(each, contract.latency_alarm(full_name(each), slot))
    (value,) = [one for one in properties["Metrics"] if one["ReturnData"]]
    assert value["Expression"] == f"IF(samples >= {endpoint(each).alarms.min_requests}, p99)"
    metrics = series(properties)
    assert {one["Metric"]["MetricName"] for one in metrics.values()} == {"ModelLatency"}
    assert (metrics["p99"]["Stat"], metrics["samples"]["Stat"]) == ("p99", "SampleCount")
    assert properties["Threshold"] == 1000 * endpoint(each).alarms.p99_latency_milliseconds


def test_alarms_look_at_the_slot_at_the_period_of_its_metrics(each, slot):
    for name in (contract.error_rate_alarm, contract.latency_alarm):
        properties = alarm(each, name(full_name(each), slot))
        assert properties["TreatMissingData"] == "missing", "no traffic is not health"
        assert properties["DatapointsToAlarm"] == endpoint(each).alarms.bad_periods
        assert properties["EvaluationPeriods"] == endpoint(each).alarms.of_periods
        for one in series(properties).values():
            assert one["Period"] == endpoint(each).fleet.metrics_period_seconds
            assert one["Metric"]["Namespace"] == "AWS/SageMaker"
            dimensions = {each["Name"]: each["Value"] for each in one["Metric"]["Dimensions"]}
            assert dimensions == {"EndpointName": full_name(each), "VariantName": slot}


def test_slot_is_unhealthy_when_either_is(each, slot):
    name = full_name(each)
    properties = alarm(each, contract.unhealthy_alarm(name, slot))
    children = [contract.error_rate_alarm(name, slot), contract.latency_alarm(name, slot)]
    assert properties["AlarmRule"] == " OR ".join(f'ALARM("{child}")' for child in children)


def test_endpoint_publishes_metrics_as_often_as_the_alarms_look(each):
    config = each.serving.one("AWS::SageMaker::EndpointConfig")
    assert config["MetricsConfig"]["EnableEnhancedMetrics"] is True
