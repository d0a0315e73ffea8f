"""EventBridge: patterns, targets, permissions, dead letters, schedules and faults."""

import json
import time

import pytest
from botocore.exceptions import ClientError

from localcloud.clock import VirtualClock
from localcloud.errors import AwsError
from localcloud.services.events.envelope import target_input
from localcloud.services.events.schedules import parse_schedule

SERVICE = "events.amazonaws.com"
FORWARD = """
    import json, os, boto3
    sqs = boto3.client("sqs")
    def handler(event, context):
        sqs.send_message(QueueUrl=os.environ["OUT"], MessageBody=json.dumps(event))
"""


def _listening_queue(cloud, workshop, pattern, **target):
    url, arn = workshop.queue()
    rule = workshop.rule(pattern, arn, **target)
    workshop.allow(url, arn, SERVICE, rule)
    return url


def test_event_that_fits_reaches_the_queue_whole(cloud, workshop):
    url = _listening_queue(cloud, workshop, {"source": ["fit"], "detail": {"kind": [{"prefix": "a"}]}})
    workshop.put_event("fit", {"kind": "b"})
    workshop.put_event("fit", {"kind": "abc"})
    event = json.loads(workshop.messages(url)[0]["Body"])
    assert (event["source"], event["detail"], event["account"]) == ("fit", {"kind": "abc"}, cloud.account)
    assert workshop.messages(url, 0.5) == []


def test_event_invokes_a_permitted_function_at_once(cloud, workshop):
    url, arn = workshop.queue()
    function = workshop.function(
        FORWARD,
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn},
        Environment={"Variables": {"OUT": url}},
    )
    rule = workshop.rule({"source": ["quick"]}, workshop.function_arn(function))
    workshop.permit(function, SERVICE, rule)
    taken = []
    for number in range(6):
        began = time.monotonic()
        workshop.put_event("quick", {"n": number})
        assert json.loads(workshop.messages(url)[0]["Body"])["detail"] == {"n": number}
        taken.append(time.monotonic() - began)
    # The first is a cold start; the best of the warm ones says what the way itself takes. Nothing polls on it, which
    # would take seconds; the rest is room for a busy machine.
    assert min(taken) < 1


def test_function_that_lets_nobody_in_costs_a_dead_letter(cloud, workshop):
    function = workshop.function(FORWARD)
    url, arn = workshop.queue()
    workshop.allow(url, arn, SERVICE)
    workshop.rule({"source": ["closed"]}, workshop.function_arn(function), DeadLetterConfig={"Arn": arn})
    workshop.put_event("closed", {"n": 1})
    letter = workshop.messages(url)[0]
    assert json.loads(letter["Body"])["detail"] == {"n": 1}
    assert letter["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"


def _let_rules_in(cloud, queue_url, queue_arn, rules, account):
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnLike": {"aws:SourceArn": rules}, "StringEquals": {"aws:SourceAccount": account}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})


@pytest.mark.parametrize(
    ("rules", "account", "arrives"),
    [
        ("rule/*-{}*", None, True),
        ("rule/another-{}*", None, False),
        ("*", "210987654321", False),
    ],
)
def test_one_statement_lets_all_rules_of_a_prefix_leave_dead_letters(cloud, workshop, rules, account, arrives):
    function, (url, arn) = workshop.function(FORWARD), workshop.queue()
    source = workshop.name("prefix")
    rule = workshop.rule({"source": [source]}, workshop.function_arn(function), DeadLetterConfig={"Arn": arn})
    beginning, number = rule.rsplit("-", 1)
    pattern = f"{beginning.rsplit('/', 1)[0]}/{rules.removeprefix('rule/').format(number)}"
    _let_rules_in(cloud, url, arn, pattern, account or cloud.account)
    workshop.put_event(source, {"n": 1})
    assert bool(workshop.messages(url, 60 if arrives else 0.5)) is arrives


def test_queue_whose_policy_names_another_rule_gets_nothing(cloud, workshop):
    url, arn = workshop.queue()
    workshop.rule({"source": ["other-rule"]}, arn)
    workshop.allow(url, arn, SERVICE, "arn:aws:events:us-east-1:123456789012:rule/another")
    workshop.put_event("other-rule", {})
    assert workshop.messages(url, 0.5) == []


def test_encrypted_queue_needs_the_key_policy_to_name_events(cloud, workshop):
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{cloud.account}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    use = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": cloud.account}},
    }
    for statements, arrives in (([root], False), ([root, use], True)):
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        key = cloud.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
        url, arn = workshop.queue(KmsMasterKeyId=key)
        source = workshop.name("sealed")
        workshop.allow(url, arn, SERVICE, workshop.rule({"source": [source]}, arn))
        workshop.put_event(source, {})
        assert bool(workshop.messages(url, 60 if arrives else 0.5)) is arrives


def test_duplicated_and_dropped_events_on_demand(cloud, workshop):
    url = _listening_queue(cloud, workshop, {"source": ["faulty"]})
    cloud.faults.duplicate_events = True
    workshop.put_event("faulty", {"n": 1})
    twice = [json.loads(m["Body"])["id"] for m in workshop.messages(url, count=2)]
    assert len(twice) == 2
    assert twice[0] == twice[1]
    cloud.faults.duplicate_events = False
    undo = cloud.faults.drop_events(lambda event: event["detail"].get("n") == 2)
    workshop.put_event("faulty", {"n": 2})
    assert workshop.messages(url, 0.5) == []
    undo()
    workshop.put_event("faulty", {"n": 2})
    assert workshop.messages(url)


def test_rule_fires_on_its_schedule(cloud, workshop, monkeypatch):
    """The cloud's clock is real; the schedule is made to be due soon."""
    monkeypatch.setattr("localcloud.services.events.schedules._UNIT_SECONDS", {"minute": 0.4, "hour": 1, "day": 1})
    url, arn = workshop.queue()
    events, name = cloud.client("events"), workshop.name("rule")
    rule = events.put_rule(Name=name, ScheduleExpression="rate(1 minute)")["RuleArn"]
    workshop.allow(url, arn, SERVICE, rule)
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn}])
    event = json.loads(workshop.messages(url, count=2)[1]["Body"])
    assert (event["detail-type"], event["resources"]) == ("Scheduled Event", [rule])
    events.disable_rule(Name=name)
    workshop.messages(url, 0.6, 99)
    assert workshop.messages(url, 0.8) == []


@pytest.mark.parametrize(
    ("expression", "start", "due"),
    [
        ("rate(5 minutes)", "2026-01-01T00:00:30+00:00", "2026-01-01T00:05:30+00:00"),
        ("cron(0/15 * * * ? *)", "2026-01-01T10:16:00+00:00", "2026-01-01T10:30:00+00:00"),
        ("cron(30 8 ? * MON-FRI *)", "2026-01-02T09:00:00+00:00", "2026-01-05T08:30:00+00:00"),
        ("cron(0 0 1 * ? *)", "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"),
    ],
)
def test_schedule_expressions(expression, start, due):
    from datetime import datetime

    assert (
        parse_schedule(expression)(datetime.fromisoformat(start).timestamp()) == datetime.fromisoformat(due).timestamp()
    )


@pytest.mark.parametrize("expression", ["rate(0 minutes)", "every day", "cron(* * *)"])
def test_bad_schedule_is_refused(expression):
    with pytest.raises(AwsError):
        parse_schedule(expression)


EVENT = {"detail-type": "T", "source": "s", "time": "now", "detail": {"name": 'a "b"', "list": [1, 2]}}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({}, EVENT),
        ({"Input": '{"fixed": 1}'}, {"fixed": 1}),
        ({"InputPath": "$.detail"}, EVENT["detail"]),
        ({"InputPath": "$.detail-type"}, "T"),
        (
            {
                "InputTransformer": {
                    "InputPathsMap": {"n": "$.detail.name", "l": "$.detail.list"},
                    "InputTemplate": '{"said": "it is <n>", "name": <n>, "list": <l>, "of": "<aws.events.rule-name>"}',
                }
            },
            {"said": 'it is a "b"', "name": 'a "b"', "list": [1, 2], "of": "r"},
        ),
    ],
)
def test_target_input(target, expected):
    assert json.loads(target_input(target, EVENT, "arn:aws:events:us-east-1:1:rule/r")) == expected


def test_rule_and_target_that_mean_nothing_here_are_named(cloud, workshop):
    events, name = cloud.client("events"), workshop.name("rule")
    with pytest.raises(ClientError, match="'nonsense'"):
        events.put_rule(Name=name, EventPattern=json.dumps({"source": [{"nonsense": 1}]}))
    events.put_rule(Name=name, EventPattern=json.dumps({"source": ["x"]}))
    with pytest.raises(ClientError, match="arn:aws:kinesis"):
        events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": "arn:aws:kinesis:us-east-1:1:stream/s"}])


def test_alarm_reaches_topic_and_its_queue(cloud, workshop, wait_until):
    topic = cloud.client("sns").create_topic(Name=workshop.name("topic"))["TopicArn"]
    url, arn = workshop.queue()
    workshop.allow(url, arn, "sns.amazonaws.com", topic)
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    name = workshop.name("alarm")
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        Namespace="N",
        MetricName="M",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    events = _listening_queue(cloud, workshop, {"source": ["aws.cloudwatch"], "detail": {"alarmName": [name]}})
    cloud.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    notice = json.loads(workshop.messages(url)[0]["Body"])
    assert json.loads(notice["Message"])["NewStateValue"] == "ALARM"
    event = json.loads(workshop.messages(events)[0]["Body"])
    assert event["detail"]["state"]["value"] == "ALARM"


def test_topic_invokes_a_function_that_lets_it(cloud, workshop):
    url, arn = workshop.queue()
    function = workshop.function(
        FORWARD,
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn},
        Environment={"Variables": {"OUT": url}},
    )
    topic = cloud.client("sns").create_topic(Name=workshop.name("topic"))["TopicArn"]
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=workshop.function_arn(function))
    cloud.client("sns").publish(TopicArn=topic, Message="too early")
    workshop.permit(function, "sns.amazonaws.com", topic)
    cloud.client("sns").publish(TopicArn=topic, Message="hello", Subject="s")
    record = json.loads(workshop.messages(url)[0]["Body"])["Records"][0]
    assert (record["EventSource"], record["Sns"]["Message"], record["Sns"]["Subject"]) == ("aws:sns", "hello", "s")
    assert workshop.messages(url, 0.3) == []


def test_queue_that_does_not_let_the_topic_in_gets_nothing(cloud, workshop):
    topic = cloud.client("sns").create_topic(Name=workshop.name("topic"))["TopicArn"]
    url, arn = workshop.queue()
    cloud.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloud.client("sns").publish(TopicArn=topic, Message="m")
    assert workshop.messages(url, 0.5) == []


def test_virtual_clock_drives_schedules_too():
    clock = VirtualClock(0.0)
    fired = []
    clock.call_later(parse_schedule("rate(1 minute)")(clock.now()), lambda: fired.append(clock.now()))
    clock.advance(61)
    assert fired == [60.0]
