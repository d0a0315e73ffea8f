"""Limits that AWS puts on requests, in its own words."""

import json
import time

import pytest
from botocore.exceptions import ClientError


def _refusal(call, **params):
    with pytest.raises(ClientError) as refused:
        call(**params)
    return refused.value.response["Error"]


def _put(cloud, name, length, **more):
    return cloud.client("ssm").put_parameter(Name=name, Value="x" * length, **{"Type": "String", **more})


def test_a_standard_parameter_holds_4096_characters(cloud, workshop):
    name = f"/limits/{workshop.name('standard')}"
    _put(cloud, name, 4096)
    for more in ({}, {"Tier": "Standard"}):
        error = _refusal(lambda more=more: _put(cloud, name, 4097, Overwrite=True, **more))
        assert error["Code"] == "ValidationException"
        assert error["Message"].startswith(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
        )
    assert len(cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]) == 4096


@pytest.mark.parametrize("tier", ["Advanced", "Intelligent-Tiering"])
def test_an_advanced_parameter_holds_8192(cloud, workshop, tier):
    name = f"/limits/{workshop.name('advanced')}"
    _put(cloud, name, 8192, Tier=tier)
    _put(cloud, name, 8192, Overwrite=True)
    error = _refusal(lambda: _put(cloud, name, 8193, Overwrite=True, Tier=tier))
    assert "support a maximum parameter value of 8192 characters" in error["Message"]


def test_an_advanced_parameter_stays_one(cloud, workshop):
    name = f"/limits/{workshop.name('advanced')}"
    _put(cloud, name, 1, Tier="Advanced")
    error = _refusal(lambda: _put(cloud, name, 1, Overwrite=True, Tier="Standard"))
    assert "You can't downgrade a parameter from the advanced-parameter tier" in error["Message"]


def test_a_role_meets_the_same_limit(cloud, workshop):
    role = workshop.role({"Effect": "Allow", "Action": "ssm:PutParameter", "Resource": "*"})
    ssm = cloud.role_client("ssm", role)
    error = _refusal(ssm.put_parameter, Name="/limits/role", Value="x" * 4097, Type="String")
    assert error["Code"] == "ValidationException"


def test_a_hundred_alarms_are_described_in_a_call_and_not_one_more(cloud, workshop):
    cloudwatch, name = cloud.client("cloudwatch"), workshop.name("alarm")
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    others = [f"{name}-{number}" for number in range(100)]
    found = cloudwatch.describe_alarms(AlarmNames=[name, *others[:99]])
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == [name]
    error = _refusal(cloudwatch.describe_alarms, AlarmNames=[name, *others])
    assert error["Code"] == "ValidationError"
    assert error["Message"].endswith("Member must have length less than or equal to 100")


def test_metric_data_comes_in_pages_over_the_wire(cloud):
    cloudwatch = cloud.client("cloudwatch")
    start = int(time.time()) // 60 * 60 - 600
    cloudwatch.put_metric_data(
        Namespace="Pages",
        MetricData=[{"MetricName": "M", "Value": 1.0, "Timestamp": start + 60 * n} for n in range(5)],
    )
    stat = {"Metric": {"Namespace": "Pages", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[{"Id": "m", "MetricStat": stat}], StartTime=start, EndTime=start + 300, MaxDatapoints=2
    )
    parts = [page["MetricDataResults"][0] for page in pages]
    assert [part["StatusCode"] for part in parts] == ["PartialData", "PartialData", "Complete"]
    assert [part["Values"] for part in parts] == [[1.0, 1.0], [1.0, 1.0], [1.0]]


def _policy(arn, number, sid="S{}", **more):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        **more,
    }
    statements = [{**statement, "Sid": sid.format(each)} for each in range(number)]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def test_a_queues_policy_has_twenty_statements_and_not_one_more(cloud, workshop):
    url, arn = workshop.queue()
    sqs = cloud.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn, 20)})
    too_many = {"Policy": _policy(arn, 21)}
    for error in (
        _refusal(sqs.set_queue_attributes, QueueUrl=url, Attributes=too_many),
        _refusal(sqs.create_queue, QueueName=workshop.name("queue"), Attributes=too_many),
    ):
        assert error["Code"] == "OverLimit"
        assert error["Message"] == "21 statements were found in the submitted policy, max allowed is 20"
    kept = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    assert len(json.loads(kept)["Statement"]) == 20


def test_a_queues_policy_has_8192_bytes_and_not_one_more(cloud, workshop):
    url, arn = workshop.queue()
    sqs = cloud.client("sqs")
    short = _policy(arn, 1, sid="")
    exact = _policy(arn, 1, sid="s" * (8192 - len(short)))
    assert len(exact) == 8192
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": exact})
    error = _refusal(sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": f"{exact} "})
    assert (error["Code"], error["Message"]) == ("OverLimit", "Submitted policy is over max allowed size.")


@pytest.mark.parametrize("make", [lambda arn: _policy(arn, 2, sid="Same"), lambda _: "{", lambda _: "{}"])
def test_a_queues_policy_that_is_none_is_refused(cloud, workshop, make):
    url, arn = workshop.queue()
    error = _refusal(cloud.client("sqs").set_queue_attributes, QueueUrl=url, Attributes={"Policy": make(arn)})
    assert (error["Code"], error["Message"]) == ("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def test_a_queue_without_a_policy_again(cloud, workshop):
    url, arn = workshop.queue()
    sqs = cloud.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": _policy(arn, 1)})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
