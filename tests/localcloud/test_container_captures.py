"""Log events that match a subscription filter reach S3 through a delivery stream, as far as the roles allow it."""

import gzip
import json
import time

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.physics.settings import PhysicsSettings
from tests.localcloud.conftest import Workshop

PATTERN = '{ $.captureData.endpointInput.mode = "INPUT" }'
PROCESSORS = {
    "Decompression": ("CompressionFormat", "GZIP"),
    "CloudWatchLogProcessing": ("DataMessageExtraction", "true"),
    "AppendDelimiterToRecord": ("Delimiter", "\\n"),
}
PREFIX = "capture/rain/container/!{timestamp:yyyy/MM/dd/HH}/"
ERRORS = "capture-errors/rain/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"


@pytest.fixture(scope="module")
def cloud():
    with LocalCloud(settings=PhysicsSettings(stream_buffer_limit_seconds=0.3, stream_retry_seconds=0.2)) as running:
        yield running


@pytest.fixture(scope="module")
def way(cloud, workshop):
    return Way(cloud, workshop)


class Way:
    """Makes log groups, streams and filters."""

    def __init__(self, cloud: LocalCloud, workshop: Workshop) -> None:
        self.cloud = cloud
        self.workshop = workshop
        self.logs, self.firehose, self.s3 = (cloud.client(name) for name in ("logs", "firehose", "s3"))

    def bucket(self):
        name = self.workshop.name("captures")
        self.s3.create_bucket(Bucket=name)
        return name

    def role(self, service, *actions, resource="*"):
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        return self.workshop.role(*([statement] if actions else []), service=service)

    def stream(self, bucket, role=None, **more):
        name = self.workshop.name("stream")
        kinds = [
            {"Type": kind, "Parameters": [{"ParameterName": key, "ParameterValue": value}]}
            for kind, (key, value) in PROCESSORS.items()
        ]
        destination = {
            "BucketARN": f"arn:aws:s3:::{bucket}",
            "RoleARN": role or self.role("firehose.amazonaws.com", "s3:PutObject"),
            "Prefix": PREFIX,
            "ErrorOutputPrefix": ERRORS,
            "FileExtension": ".jsonl",
            "ProcessingConfiguration": {"Enabled": True, "Processors": kinds},
            **more,
        }
        self.firehose.create_delivery_stream(DeliveryStreamName=name, ExtendedS3DestinationConfiguration=destination)
        return name

    def group(self):
        name = self.workshop.name("/aws/sagemaker/Endpoints/rain")
        self.logs.create_log_group(logGroupName=name)
        self.logs.create_log_stream(logGroupName=name, logStreamName="blue/1")
        return name

    def subscribe(self, group, stream, role=None, pattern=PATTERN):
        arn = self.firehose.describe_delivery_stream(DeliveryStreamName=stream)
        self.logs.put_subscription_filter(
            logGroupName=group,
            filterName="captures",
            filterPattern=pattern,
            destinationArn=arn["DeliveryStreamDescription"]["DeliveryStreamARN"],
            roleArn=role or self.role("logs.amazonaws.com", "firehose:PutRecord"),
        )

    def write(self, group, *messages):
        at = int(time.time() * 1000)
        events = [{"timestamp": at, "message": message} for message in messages]
        self.logs.put_log_events(logGroupName=group, logStreamName="blue/1", logEvents=events)

    def objects(self, bucket, prefix=""):
        listed = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return {each["Key"]: self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read() for each in listed}

    def lines(self, bucket):
        return [
            line for body in self.objects(bucket, "capture/").values() for line in body.decode().split("\n") if line
        ]


def captured(number):
    return json.dumps({"captureData": {"endpointInput": {"mode": "INPUT", "data": str(number)}}, "eventVersion": "0"})


def test_matching_lines_reach_s3_under_the_hour_when_they_came(way, wait_until):
    bucket, group = way.bucket(), way.group()
    way.subscribe(group, way.stream(bucket))

    way.write(group, '{"message": "ready"}', captured(1), "no JSON", captured(2), '{"_aws": {}}')

    wait_until(lambda: captured(2) in way.lines(bucket))
    told = [line for line in way.lines(bucket) if not line.startswith("CWL CONTROL MESSAGE")]
    assert told == [captured(1), captured(2)]
    (key, *_) = way.objects(bucket)
    assert key.startswith(f"capture/rain/container/{time.strftime('%Y/%m/%d/', time.gmtime())}")
    assert key.endswith(".jsonl")


def test_lines_of_a_container_take_the_same_way(cloud, way, wait_until):
    bucket, group = way.bucket(), way.group()
    way.subscribe(group, way.stream(bucket))
    cloud.containers._logs(group, "blue/i-1", [(int(time.time() * 1000), captured(7))])
    wait_until(lambda: captured(7) in way.lines(bucket))


def test_a_filter_whose_role_may_not_send_is_refused(way):
    group, stream = way.group(), way.stream(way.bucket())
    with pytest.raises(ClientError, match=r"Could not deliver test message.*firehose:PutRecord"):
        way.subscribe(group, stream, way.role("logs.amazonaws.com", "s3:PutObject"))
    with pytest.raises(ClientError, match="Could not assume role"):
        way.subscribe(group, stream, way.role("firehose.amazonaws.com", "firehose:PutRecord"))
    assert way.logs.describe_subscription_filters(logGroupName=group)["subscriptionFilters"] == []


def test_what_the_streams_role_may_not_write_is_told_and_written_once_it_may(cloud, way, wait_until):
    bucket, told = way.bucket(), way.group()
    role = way.role("firehose.amazonaws.com", "logs:PutLogEvents")
    stream = way.stream(
        bucket,
        role,
        CloudWatchLoggingOptions={"Enabled": True, "LogGroupName": told, "LogStreamName": "blue/1"},
        ProcessingConfiguration={"Enabled": False},
    )
    way.firehose.put_record(DeliveryStreamName=stream, Record={"Data": b"one\n"})

    wait_until(lambda: "s3:PutObject" in str(way.logs.filter_log_events(logGroupName=told)["events"]))
    assert way.objects(bucket) == {}

    statement = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/capture/rain/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.client("iam").put_role_policy(RoleName=role.split("/")[-1], PolicyName="more", PolicyDocument=document)
    wait_until(lambda: list(way.objects(bucket).values()) == [b"one\n"])


def test_a_record_that_cannot_be_processed_goes_where_errors_go(way, wait_until):
    bucket = way.bucket()
    stream = way.stream(bucket)
    good = gzip.compress(json.dumps({"logEvents": [{"message": "a"}, {"message": "b"}]}).encode())
    answer = way.firehose.put_record_batch(DeliveryStreamName=stream, Records=[{"Data": good}, {"Data": b"plain"}])
    assert answer["FailedPutCount"] == 0

    wait_until(lambda: len(way.objects(bucket)) == 2)
    (error,) = way.objects(bucket, "capture-errors/rain/processing-failed/").values()
    assert "not gzip" in json.loads(error)["errorMessage"]
    assert way.lines(bucket) == ["a", "b"]


def test_a_batch_is_stored_together(way, wait_until):
    bucket = way.bucket()
    stream = way.stream(bucket, ProcessingConfiguration={"Enabled": False})
    for number in range(5):
        way.firehose.put_record(DeliveryStreamName=stream, Record={"Data": b"%d\n" % number})
    wait_until(lambda: way.objects(bucket))
    assert list(way.objects(bucket).values()) == [b"0\n1\n2\n3\n4\n"]
    way.firehose.delete_delivery_stream(DeliveryStreamName=stream)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        way.firehose.put_record(DeliveryStreamName=stream, Record={"Data": b"late"})


@pytest.mark.parametrize(
    ("pattern", "message", "matches"),
    [
        ("", "anything", True),
        (PATTERN, captured(1), True),
        (PATTERN, captured(1).replace("INPUT", "OUTPUT"), False),
        (PATTERN, '{"captureData": 1}', False),
        (PATTERN, "{broken", False),
        ("{ $.a = 1 && $.b != x }", '{"a": 1, "b": "y"}', True),
        ("{ $.a = 1 && $.b != x }", '{"a": 1, "b": "x"}', False),
        ("{ $.a != 1 }", "{}", False),
    ],
)
def test_filter_patterns(pattern, message, matches):
    from localcloud.services.subscriptions.pattern import compiled

    assert compiled(pattern)(message) is matches


@pytest.mark.parametrize("pattern", ["ERROR", '{ $.a = "x*" }', "{ $.a = 1 || $.b = 2 }", "{ $.a[0] = 1 }", "[a, b]"])
def test_other_filter_patterns_are_refused_by_name(way, pattern):
    with pytest.raises(ClientError, match=r"NotSimulated.*filter pattern"):
        way.subscribe(way.group(), way.stream(way.bucket()), pattern=pattern)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Prefix": "a/!{partitionKeyFromQuery:b}/"}, "partitionKeyFromQuery"),
        ({"Prefix": "a/!{timestamp:EEE}/"}, "EEE|'E'"),
        ({"CompressionFormat": "GZIP"}, "GZIP"),
        ({"DynamicPartitioningConfiguration": {"Enabled": True}}, "DynamicPartitioningConfiguration"),
    ],
)
def test_other_destinations_are_refused_by_name(way, change, said):
    with pytest.raises(ClientError, match=f"NotSimulated.*({said})"):
        way.stream(way.bucket(), **change)
