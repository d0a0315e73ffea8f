"""Kinesis event sources: order, batches, retries, bisection, checkpoints and what is given up."""

import base64
import json
import time

import pytest
from botocore.exceptions import ClientError

from localcloud.services.data_streams.shard import Record
from localcloud.services.functions.invocation import Outcome
from localcloud.services.functions.stream_batch import Batch, Policy

READ = [
    f"kinesis:{name}"
    for name in ("GetRecords", "GetShardIterator", "DescribeStream", "DescribeStreamSummary", "ListShards")
]

# Tells what it was given, fails as the records say, and reports failed items where it is asked to.
TELL = """
    import base64, json, os, boto3
    def handler(event, context):
        records = event["Records"]
        texts = [base64.b64decode(r["kinesis"]["data"]).decode() for r in records]
        told = json.dumps([texts, records[0]])
        boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=told)
        if any(text.startswith("crash") for text in texts):
            raise RuntimeError("no")
        bad = [r["kinesis"]["sequenceNumber"] for r, text in zip(records, texts) if text.startswith("bad")]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}
"""


class Way:
    def __init__(self, cloud, workshop):
        self.cloud, self.workshop, self.kinesis = cloud, workshop, cloud.client("kinesis")

    def stream(self, shards=1):
        name = self.workshop.name("stream")
        self.kinesis.create_stream(StreamName=name, ShardCount=shards)
        summary = self.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        return name, summary["StreamARN"]

    def function(self, arn, *statements, source=TELL):
        self.out, out_arn = self.workshop.queue()
        return self.workshop.function(
            source,
            {"Effect": "Allow", "Action": READ, "Resource": arn},
            {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": out_arn},
            *statements,
            Environment={"Variables": {"OUT": self.out}},
        )

    def map(self, function, arn, **settings):
        given = {"StartingPosition": "TRIM_HORIZON", "FunctionResponseTypes": ["ReportBatchItemFailures"], **settings}
        return self.cloud.client("lambda").create_event_source_mapping(
            FunctionName=function, EventSourceArn=arn, **given
        )

    def put(self, name, *texts, key="one"):
        for text in texts:
            self.kinesis.put_record(StreamName=name, Data=text.encode(), PartitionKey=key)

    def told(self, count):
        return [json.loads(message["Body"]) for message in self.workshop.messages(self.out, count=count)]


@pytest.fixture
def way(cloud, workshop):
    return Way(cloud, workshop)


def test_an_event_has_lambdas_form_and_the_records_age_is_a_metric(way, workshop, wait_until):
    name, arn = way.stream()
    way.put(name, "hello")
    function = way.function(arn)
    mapping = way.map(function, arn)
    ((texts, record),) = way.told(1)
    assert texts == ["hello"]
    assert record["eventSource"] == "aws:kinesis"
    assert record["eventID"] == f"shardId-000000000000:{record['kinesis']['sequenceNumber']}"
    assert base64.b64decode(record["kinesis"]["data"]) == b"hello"
    assert record["eventSourceARN"] == arn
    assert (mapping["BatchSize"], mapping["MaximumRetryAttempts"]) == (100, -1)
    wait_until(lambda: workshop.metric("AWS/Lambda", "IteratorAge", FunctionName=function) > 0)


def test_latest_leaves_out_what_was_there(way):
    name, arn = way.stream()
    way.put(name, "old")
    way.map(way.function(arn), arn, StartingPosition="LATEST")
    way.put(name, "new")
    assert way.told(1)[0][0] == ["new"]


def test_at_timestamp_begins_there(way):
    name, arn = way.stream()
    way.put(name, "old")
    time.sleep(0.05)
    at = time.time()
    time.sleep(0.05)
    way.put(name, "new")
    way.map(way.function(arn), arn, StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=at)
    assert way.told(1)[0][0] == ["new"]


def test_a_failed_item_is_retried_from_it_on_and_given_up(way, workshop):
    name, arn = way.stream()
    way.put(name, "a", "bad", "c")
    dead, dead_arn = workshop.queue()
    function = way.function(arn, {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead_arn})
    way.map(function, arn, MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {"Destination": dead_arn}})
    (message,) = workshop.messages(dead)
    way.put(name, "d")
    told = [texts for texts, _ in way.told(4)]
    # The checkpoint is before the failed item; what remains was tried twice more, then given up as a whole.
    assert told == [["a", "bad", "c"], ["bad", "c"], ["bad", "c"], ["d"]]
    body = json.loads(message["Body"])
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert body["requestContext"]["approximateInvokeCount"] == 3
    assert body["requestContext"]["functionArn"].endswith(function)
    info = body["KinesisBatchInfo"]
    assert (info["batchSize"], info["shardId"], info["streamArn"]) == (2, "shardId-000000000000", arn)
    where = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": info["startSequenceNumber"]}
    place = way.kinesis.get_shard_iterator(StreamName=name, ShardId=info["shardId"], **where)["ShardIterator"]
    assert [r["Data"] for r in way.kinesis.get_records(ShardIterator=place)["Records"]] == [b"bad", b"c", b"d"]


def test_bisection_finds_the_record_that_crashes(way, workshop):
    name, arn = way.stream()
    way.put(name, "a", "b", "crash", "d")
    dead, dead_arn = workshop.queue()
    function = way.function(arn, {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead_arn})
    way.map(
        function,
        arn,
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": dead_arn}},
    )
    assert [texts for texts, _ in way.told(5)] == [
        ["a", "b", "crash", "d"],
        ["a", "b"],
        ["crash", "d"],
        ["crash"],
        ["d"],
    ]
    body = json.loads(workshop.messages(dead)[0]["Body"])
    assert body["KinesisBatchInfo"]["batchSize"] == 1
    assert body["responseContext"]["functionError"] == "Unhandled"


def test_lanes_keep_each_keys_order_while_another_key_is_stuck(way):
    name, arn = way.stream()
    slow = TELL.replace("raise RuntimeError", "import time; time.sleep(15); raise RuntimeError")
    way.map(way.function(arn, source=slow), arn, ParallelizationFactor=10, BatchSize=1)
    way.put(name, "crash", key="stuck")
    for number in range(3):
        way.put(name, f"{number}", key="other")
    told = [texts[0] for texts, _ in way.told(4)]
    assert sorted(told) == ["0", "1", "2", "crash"]  # the other key's records did not wait for the next try
    assert [text for text in told if text != "crash"] == ["0", "1", "2"]


def test_a_mapping_goes_on_where_it_was_after_an_update(way, wait_until):
    name, arn = way.stream()
    way.put(name, "one")
    mapping = way.map(way.function(arn), arn)
    assert way.told(1)[0][0] == ["one"]
    wait_until(
        lambda: (
            way.cloud.client("lambda").get_event_source_mapping(UUID=mapping["UUID"])["LastProcessingResult"] == "OK"
        )
    )
    way.cloud.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], ParallelizationFactor=2, BatchSize=5)
    way.put(name, "two")
    assert [texts for texts, _ in way.told(1)] == [["two"]]


def test_an_alias_is_what_a_mapping_by_its_arn_invokes(way, cloud):
    name, arn = way.stream()
    function = way.function(arn)
    client = cloud.client("lambda")
    client.publish_version(FunctionName=function)
    alias = client.create_alias(FunctionName=function, Name="live", FunctionVersion="1")["AliasArn"]
    assert way.map(alias, arn)["FunctionArn"] == alias
    way.put(name, "x")
    assert way.told(1)[0][0] == ["x"]


def test_what_the_role_may_not_and_what_has_no_effect_is_refused(way, workshop):
    _, arn = way.stream()
    with pytest.raises(ClientError, match=r"Cannot access stream.*GetRecords"):
        way.map(workshop.function(TELL), arn)
    function = way.function(arn)
    with pytest.raises(ClientError, match="FilterCriteria"):
        way.map(function, arn, FilterCriteria={"Filters": [{"Pattern": "{}"}]})
    with pytest.raises(ClientError, match="TumblingWindowInSeconds"):
        way.map(function, arn, TumblingWindowInSeconds=30)
    _, dead_arn = workshop.queue()
    with pytest.raises(ClientError, match="sqs:SendMessage"):
        way.map(function, arn, DestinationConfig={"OnFailure": {"Destination": dead_arn}})


def batch(*sequences, failures=0):
    return Batch(tuple(Record(number, "k", b"", 100.0) for number in sequences), failures)


def reported(*numbers):
    failures = [{"itemIdentifier": str(number)} for number in numbers]
    return Outcome(json.dumps({"batchItemFailures": failures}).encode())


def test_policy_cuts_before_the_lowest_reported_failure():
    policy = Policy(reports=True, retries=1)
    assert policy.after(batch(1, 2, 3), reported()) == ([], False)
    assert policy.after(batch(1, 2, 3), reported(3, 2)) == ([batch(2, 3, failures=1)], False)
    assert policy.after(batch(2, 3, failures=1), reported(2)) == ([batch(2, 3, failures=2)], True)
    assert policy.after(batch(1, 2), reported(9))[0] == [batch(1, 2, failures=1)]  # an unknown item fails them all


def test_policy_bisects_without_counting_a_retry():
    policy = Policy(bisects=True, retries=0)
    assert policy.after(batch(1, 2, 3), Outcome(b"", "Unhandled")) == ([batch(1), batch(2, 3)], False)
    assert policy.after(batch(1), Outcome(b"", "Unhandled")) == ([batch(1, failures=1)], True)


def test_policy_halves_only_what_the_function_failed_on():
    policy = Policy(bisects=True, reports=True, retries=1)
    assert policy.after(batch(1, 2, 3), reported(2)) == ([batch(2, 3)], False)
    assert policy.after(batch(1, 2, 3), reported(1)) == ([batch(1, 2, 3, failures=1)], False)
    assert policy.after(batch(1, 2, 3, failures=1), reported(1)) == ([batch(1, 2, 3, failures=2)], True)
    assert policy.after(batch(1, 2), reported(9)) == ([batch(1, 2, failures=1)], False)


def test_records_that_are_too_old_are_told_from_the_others():
    records = tuple(Record(number, "k", b"", float(at)) for number, at in ((1, 10), (2, 20), (3, 30)))
    assert Batch(records).aged(before=20.0) == 1
