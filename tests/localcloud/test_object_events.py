"""S3's events on EventBridge, for buckets that ask for them."""

import json

import pytest
from botocore.exceptions import ClientError

SERVICE = "events.amazonaws.com"


def _bucket(cloud, workshop, *, notifies=True, versioned=False):
    s3, name = cloud.client("s3"), workshop.name("objects")
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    if notifies:
        s3.put_bucket_notification_configuration(
            Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    return name


def _listening(workshop, bucket, **object_pattern):
    detail = {"bucket": {"name": [bucket]}, **({"object": object_pattern} if object_pattern else {})}
    url, arn = workshop.queue()
    rule = workshop.rule({"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}, arn)
    workshop.allow(url, arn, SERVICE, rule)
    return url


def _events(workshop, url, count=1):
    return [json.loads(message["Body"]) for message in workshop.messages(url, count=count)]


def test_a_created_object_is_told_as_s3_tells_it(cloud, workshop):
    bucket = _bucket(cloud, workshop, versioned=True)
    url = _listening(workshop, bucket)
    put = cloud.client("s3").put_object(Bucket=bucket, Key="folder/a b+c.txt", Body=b"hello")
    (event,) = _events(workshop, url)
    assert (event["source"], event["detail-type"], event["account"]) == ("aws.s3", "Object Created", cloud.account)
    assert (event["region"], event["resources"]) == (cloud.region, [f"arn:aws:s3:::{bucket}"])
    detail = event["detail"]
    assert (detail["version"], detail["bucket"], detail["reason"]) == ("0", {"name": bucket}, "PutObject")
    told = detail["object"]
    assert int(told.pop("sequencer"), 16) > 0
    assert told == {
        "key": "folder/a b+c.txt",
        "size": 5,
        "etag": put["ETag"].strip('"'),
        "version-id": put["VersionId"],
    }
    assert {"request-id", "requester", "source-ip-address"} < set(detail)


def test_copies_and_uploads_in_parts_are_told_once(cloud, workshop):
    bucket, s3 = _bucket(cloud, workshop), cloud.client("s3")
    url = _listening(workshop, bucket, key=[{"prefix": "told/"}])
    s3.put_object(Bucket=bucket, Key="source", Body=b"x")
    s3.copy_object(Bucket=bucket, Key="told/copy", CopySource=f"{bucket}/source")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="told/parts")["UploadId"]
    tag = s3.upload_part(Bucket=bucket, Key="told/parts", UploadId=upload, PartNumber=1, Body=b"y")["ETag"]
    parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="told/parts", UploadId=upload, MultipartUpload=parts)
    told = {(each["detail"]["object"]["key"], each["detail"]["reason"]) for each in _events(workshop, url, count=2)}
    assert told == {("told/copy", "CopyObject"), ("told/parts", "CompleteMultipartUpload")}
    assert workshop.messages(url, 0.5) == []


def test_an_object_that_the_cloud_itself_writes_is_told_too(cloud, workshop):
    """Captured traffic comes this way."""
    bucket = _bucket(cloud, workshop)
    url = _listening(workshop, bucket)
    cloud._objects.put(f"s3://{bucket}/capture/a.jsonl", b"{}\n")
    (event,) = _events(workshop, url)
    assert event["detail"]["object"]["key"] == "capture/a.jsonl"
    assert "version-id" not in event["detail"]["object"]


def test_buckets_that_do_not_ask_and_deletions_are_silent(cloud, workshop):
    silent, telling, s3 = _bucket(cloud, workshop, notifies=False), _bucket(cloud, workshop), cloud.client("s3")
    urls = [_listening(workshop, bucket) for bucket in (silent, telling)]
    s3.put_object(Bucket=silent, Key="a", Body=b"x")
    s3.put_object(Bucket=telling, Key="a", Body=b"x")
    s3.delete_object(Bucket=telling, Key="a")
    assert len(_events(workshop, urls[1])) == 1
    assert workshop.messages(urls[1], 0.5) == []
    assert workshop.messages(urls[0], 0.5) == []


def test_a_rule_for_other_events_of_s3_is_refused_by_name(workshop):
    with pytest.raises(ClientError, match="Object Deleted"):
        workshop.rule({"source": ["aws.s3"], "detail-type": ["Object Created", "Object Deleted"]}, "unused")
