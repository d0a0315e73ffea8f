"""SQS event sources: batches, partial failures, redrive, permissions."""

import json

import pytest
from botocore.exceptions import ClientError

READ = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]

COLLECT = """
    import json, os, boto3
    def handler(event, context):
        failures = []
        for record in event["Records"]:
            if record["body"] == "bad":
                failures.append({"itemIdentifier": record["messageId"]})
            else:
                boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=record["body"])
        return {"batchItemFailures": failures}
"""


def _pipeline(cloud, workshop, source=COLLECT, **queue):
    """Return the URLs of a queue that a function reads and one that it writes."""
    source_url, source_arn = workshop.queue(**{"VisibilityTimeout": "8", **queue})
    out_url, out_arn = workshop.queue()
    function = workshop.function(
        source,
        {"Effect": "Allow", "Action": READ, "Resource": source_arn},
        {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": out_arn},
        Environment={"Variables": {"OUT": out_url}},
        Timeout=8,
    )
    return source_url, source_arn, out_url, function


def _map(cloud, function, queue_arn, **settings):
    return cloud.client("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=queue_arn, FunctionResponseTypes=["ReportBatchItemFailures"], **settings
    )


def test_messages_reach_the_function_and_leave_the_queue(cloud, workshop, wait_until):
    source_url, source_arn, out_url, function = _pipeline(cloud, workshop)
    _map(cloud, function, source_arn)
    for body in ("one", "two", "three"):
        cloud.client("sqs").send_message(QueueUrl=source_url, MessageBody=body)
    assert {m["Body"] for m in workshop.messages(out_url, count=3)} == {"one", "two", "three"}
    wait_until(lambda: _left(cloud, source_url) == 0)


def _left(cloud, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_delayed_message_comes_when_due(cloud, workshop):
    import time

    source_url, source_arn, out_url, function = _pipeline(cloud, workshop)
    _map(cloud, function, source_arn)
    workshop.invoke(function, {"Records": []})
    began = time.monotonic()
    cloud.client("sqs").send_message(QueueUrl=source_url, MessageBody="timer", DelaySeconds=1)
    assert workshop.messages(out_url)[0]["Body"] == "timer"
    assert time.monotonic() - began > 0.9


def test_failed_item_alone_goes_to_the_dead_letter_queue(cloud, workshop):
    dead_url, dead_arn = workshop.queue()
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    source_url, source_arn, out_url, function = _pipeline(cloud, workshop, RedrivePolicy=redrive)
    _map(cloud, function, source_arn)
    entries = [{"Id": str(i), "MessageBody": body} for i, body in enumerate(["good", "bad", "fine"])]
    cloud.client("sqs").send_message_batch(QueueUrl=source_url, Entries=entries)
    assert {m["Body"] for m in workshop.messages(out_url, count=2)} == {"good", "fine"}
    assert [m["Body"] for m in workshop.messages(dead_url)] == ["bad"]


def test_crashing_function_gets_the_message_again(cloud, workshop):
    flaky = """
        import os, boto3, pathlib, tempfile
        def handler(event, context):
            mark = pathlib.Path(tempfile.gettempdir()) / context.function_name
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), 9)
            boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody="at last")
    """
    source_url, source_arn, out_url, function = _pipeline(cloud, workshop, flaky)
    _map(cloud, function, source_arn)
    cloud.client("sqs").send_message(QueueUrl=source_url, MessageBody="x")
    assert [m["Body"] for m in workshop.messages(out_url)] == ["at last"]


def test_role_that_may_not_read_the_queue_is_refused(cloud, workshop):
    _, arn = workshop.queue()
    function = workshop.function(COLLECT)
    with pytest.raises(ClientError, match="does not have permissions to call ReceiveMessage"):
        _map(cloud, function, arn)


def test_visibility_shorter_than_the_function_is_refused(cloud, workshop):
    _, source_arn, _, function = _pipeline(cloud, workshop, VisibilityTimeout="2")
    with pytest.raises(ClientError, match="less than Function timeout"):
        _map(cloud, function, source_arn)


def test_deleted_mapping_polls_no_more(cloud, workshop):
    source_url, source_arn, out_url, function = _pipeline(cloud, workshop)
    mapping = _map(cloud, function, source_arn)
    cloud.client("lambda").delete_event_source_mapping(UUID=mapping["UUID"])
    cloud.client("sqs").send_message(QueueUrl=source_url, MessageBody="stays")
    assert workshop.messages(out_url, 1) == []
    assert _left(cloud, source_url) == 1
