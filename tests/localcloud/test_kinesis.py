"""Data streams: shards, order, iterators, encryption and permissions."""

import base64
import json
import time

import pytest
from botocore.exceptions import ClientError

from localcloud.services.data_streams.iterators import Iterator
from localcloud.services.data_streams.shard import Shard


@pytest.fixture(scope="module")
def kinesis(cloud):
    return cloud.client("kinesis")


@pytest.fixture
def stream(kinesis, workshop):
    name = workshop.name("stream")
    kinesis.create_stream(StreamName=name, ShardCount=2)
    return name


def arn(kinesis, name):
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def start(kinesis, name, shard, kind="TRIM_HORIZON", **more):
    answer = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType=kind, **more)
    return answer["ShardIterator"]


def everything(kinesis, name):
    shards = [shard["ShardId"] for shard in kinesis.list_shards(StreamName=name)["Shards"]]
    return {shard: kinesis.get_records(ShardIterator=start(kinesis, name, shard))["Records"] for shard in shards}


def test_records_of_a_key_stay_in_order_in_the_shard_of_its_hash(kinesis, stream):
    for number in range(20):
        kinesis.put_record(StreamName=stream, Data=b"%d" % number, PartitionKey=f"key-{number % 4}")
    found = everything(kinesis, stream)
    assert all(found.values())  # both shards have some
    for key in range(4):
        (own,) = [
            [int(r["Data"]) for r in records if r["PartitionKey"] == f"key-{key}"]
            for records in found.values()
            if any(r["PartitionKey"] == f"key-{key}" for r in records)
        ]
        assert own == list(range(key, 20, 4))


def test_an_explicit_hash_key_chooses_the_shard(kinesis, stream):
    last = str(2**128 - 1)
    answer = kinesis.put_record(StreamName=stream, Data=b"x", PartitionKey="any", ExplicitHashKey=last)
    assert answer["ShardId"] == "shardId-000000000001"
    assert kinesis.list_shards(StreamName=stream)["Shards"][1]["HashKeyRange"]["EndingHashKey"] == last


def test_iterators_begin_where_they_say_and_lead_on(kinesis, stream):
    shard = "shardId-000000000000"
    put = {"StreamName": stream, "PartitionKey": "k", "ExplicitHashKey": "0"}
    latest = start(kinesis, stream, shard, "LATEST")
    numbers = [kinesis.put_record(Data=b"%d" % n, **put)["SequenceNumber"] for n in range(4)]
    assert numbers == sorted(numbers, key=int)

    first = kinesis.get_records(ShardIterator=latest, Limit=1)
    assert [r["Data"] for r in first["Records"]] == [b"0"]
    rest = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    assert [r["Data"] for r in rest["Records"]] == [b"1", b"2", b"3"]
    after = start(kinesis, stream, shard, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1])
    assert [r["Data"] for r in kinesis.get_records(ShardIterator=after)["Records"]] == [b"2", b"3"]
    now = start(kinesis, stream, shard, "AT_TIMESTAMP", Timestamp=time.time() + 5)
    assert kinesis.get_records(ShardIterator=now)["Records"] == []


def test_an_old_iterator_has_expired(kinesis, stream):
    old = Iterator(stream, "shardId-000000000000", 0, time.time() - 301).token()
    with pytest.raises(ClientError, match="ExpiredIteratorException"):
        kinesis.get_records(ShardIterator=old)


def test_what_is_older_than_the_retention_is_gone():
    shard = Shard(0, 1)
    for at in (10.0, 20.0, 30.0):
        shard.put("k", b"x", at)
    shard.trim(20.0)
    records, after = shard.read(0, 10)
    assert ([r.arrived_at for r in records], shard.start, after) == ([20.0, 30.0], 1, 3)


def test_on_demand_streams_have_four_shards_and_settings_change(kinesis, workshop):
    name = workshop.name("stream")
    kinesis.create_stream(StreamName=name, StreamModeDetails={"StreamMode": "ON_DEMAND"}, Tags={"a": "b"})
    kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=48)
    described = kinesis.describe_stream(StreamName=name)["StreamDescription"]
    assert (len(described["Shards"]), described["RetentionPeriodHours"], described["StreamStatus"]) == (4, 48, "ACTIVE")
    assert kinesis.list_tags_for_stream(StreamName=name)["Tags"] == [{"Key": "a", "Value": "b"}]
    kinesis.delete_stream(StreamName=name)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        kinesis.describe_stream(StreamName=name)


def test_put_records_and_sizes(kinesis, stream):
    entries = [{"Data": b"a", "PartitionKey": "1"}, {"Data": b"b", "PartitionKey": "2"}]
    answer = kinesis.put_records(StreamName=stream, Records=entries)
    assert (answer["FailedRecordCount"], len(answer["Records"])) == (0, 2)
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        kinesis.put_record(StreamName=stream, Data=b"x" * (1024 * 1024), PartitionKey="k")


def test_what_is_not_simulated_is_refused_by_name(cloud, kinesis, stream):
    for call, params in (
        (kinesis.update_shard_count, {"TargetShardCount": 4, "ScalingType": "UNIFORM_SCALING", "StreamName": stream}),
        (kinesis.subscribe_to_shard, {"ConsumerARN": arn(kinesis, stream) + "/consumer/a:1", "ShardId": "s",
                                      "StartingPosition": {"Type": "LATEST"}}),
    ):  # fmt: skip
        with pytest.raises(ClientError, match="NotSimulated"):
            call(**params)


def test_roles_need_the_stream_and_its_key(cloud, kinesis, workshop, stream):
    own, kms = arn(kinesis, stream), cloud.client("kms")
    role = workshop.role({"Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": own})
    put = {"StreamName": stream, "Data": b"x", "PartitionKey": "k"}
    client = cloud.role_client("kinesis", role)
    client.put_record(**put)
    shard = start(kinesis, stream, "shardId-000000000000")
    with pytest.raises(ClientError, match=f"kinesis:GetRecords on resource: {own}"):
        client.get_records(ShardIterator=shard)

    statement = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*",
                 "Resource": "*"}  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    key = kms.create_key(Policy=policy)["KeyMetadata"]["Arn"]
    kinesis.start_stream_encryption(StreamName=stream, EncryptionType="KMS", KeyId=key)
    with pytest.raises(ClientError, match=r"KMSAccessDenied.*kms:GenerateDataKey"):
        client.put_record(**put)
    both = [
        {"Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": own},
        {"Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": key},
    ]
    client = cloud.role_client("kinesis", workshop.role(*both))
    assert client.put_record(**put)["EncryptionType"] == "KMS"


def test_iterators_that_are_none_are_refused(kinesis):
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        kinesis.get_records(ShardIterator=base64.b64encode(b'{"a": 1}').decode())
