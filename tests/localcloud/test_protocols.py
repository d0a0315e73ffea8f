"""Clients of every protocol, each through the front to where it is answered and back."""

import io
import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime

import boto3
import botocore.loaders
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError


def _client(cloud, service, **config):
    return boto3.Session("AKIAANYBODYELSESKEY0", "secret", region_name="us-east-1").client(
        service, endpoint_url=cloud.endpoint_url, config=Config(**config)
    )


def test_object_survives_rest_xml(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="protocol-bucket")
    s3.upload_fileobj(io.BytesIO(b"x" * 9_000_000), "protocol-bucket", "folder/a b+c.bin")
    assert s3.head_object(Bucket="protocol-bucket", Key="folder/a b+c.bin")["ContentLength"] == 9_000_000
    assert s3.list_objects_v2(Bucket="protocol-bucket")["Contents"][0]["Key"] == "folder/a b+c.bin"


@pytest.mark.parametrize("signature", ["s3", "s3v4"])
def test_presigned_url_needs_no_header(cloud, signature):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=f"presigned-{signature}")
    url = _client(cloud, "s3", signature_version=signature).generate_presigned_url(
        "put_object", Params={"Bucket": f"presigned-{signature}", "Key": "k"}
    )
    urllib.request.urlopen(urllib.request.Request(url, data=b"hello", method="PUT"))
    assert s3.get_object(Bucket=f"presigned-{signature}", Key="k")["Body"].read() == b"hello"


def test_expired_presigned_url_is_refused(cloud):
    url = _client(cloud, "s3", signature_version="s3v4").generate_presigned_url(
        "get_object", Params={"Bucket": "presigned-old", "Key": "k"}, ExpiresIn=0
    )
    time.sleep(1.1)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url)


@pytest.mark.parametrize("protocol", ["smithy-rpc-v2-cbor", "json", "query"])
def test_cloudwatch_answers_clients_of_every_age(cloud, monkeypatch, protocol):
    """CloudWatch's clients moved from query to JSON and CBOR; all of them reach the same alarms."""
    original = botocore.loaders.Loader.load_service_model

    def speaking(self, service, kind, api_version=None):
        model = original(self, service, kind, api_version)
        if (service, kind) != ("cloudwatch", "service-2"):
            return model
        return {**model, "metadata": {**model["metadata"], "protocol": protocol, "protocols": [protocol]}}

    monkeypatch.setattr(botocore.loaders.Loader, "load_service_model", speaking)
    cloudwatch = _client(cloud, "cloudwatch")
    assert cloudwatch.meta.service_model.resolved_protocol == protocol
    name = f"spoken-{protocol}"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="Spoken",
        MetricName="Words",
        Dimensions=[{"Name": "Language", "Value": "a & b"}],
        Statistic="Sum",
        Period=10,
        EvaluationPeriods=3,
        Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold",
    )
    sample = {"MetricName": "Words", "Value": 2.5, "Timestamp": datetime.now(UTC), "Unit": "Count"}
    cloudwatch.put_metric_data(Namespace="Spoken", MetricData=[sample])
    alarm = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["ActionsEnabled"]) == (1.5, 3, True)
    assert alarm["Dimensions"] == [{"Name": "Language", "Value": "a & b"}]
    assert abs(alarm["AlarmConfigurationUpdatedTimestamp"].timestamp() - time.time()) < 60
    with pytest.raises(ClientError) as refused:
        cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Nonsense")
    assert "Nonsense" in refused.value.response["Error"]["Message"]


def test_value_outside_an_enumeration_is_refused_in_the_words_of_aws(cloud):
    """botocore lets it pass, and so does not tell before AWS does."""
    variant = {"VariantName": "blue", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    with pytest.raises(ClientError) as refused:
        cloud.client("sagemaker").create_endpoint_config(
            EndpointConfigName="c", ProductionVariants=[{**variant, "InferenceAmiVersion": ""}]
        )
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert (
        "Value '' at 'productionVariants.1.member.inferenceAmiVersion' failed to satisfy constraint: "
        "Member must satisfy enum value set: [al2-ami-sagemaker-inference-gpu-2, "
    ) in error["Message"]


def test_query_and_json_services_answer(cloud, workshop):
    role = workshop.role()
    assert cloud.client("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]["Arn"] == role
    cloud.client("ssm").put_parameter(Name="/protocol/parameter", Value="v", Type="String")
    assert cloud.client("ssm").get_parameter(Name="/protocol/parameter")["Parameter"]["Value"] == "v"


def test_long_poll_returns_as_soon_as_a_message_comes(cloud, workshop):
    url, _ = workshop.queue()
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="soon", DelaySeconds=1)
    began = time.monotonic()
    answer = cloud.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)
    assert answer["Messages"][0]["Body"] == "soon"
    assert 0.9 < time.monotonic() - began < 19


def test_long_poll_keeps_nobody_out(cloud, workshop):
    """A client that waits for messages must not hold what others need."""
    import threading

    url, _ = workshop.queue()
    waiting = threading.Thread(
        target=lambda: _client(cloud, "sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20), daemon=True
    )
    waiting.start()
    time.sleep(0.2)
    cloud.client("ssm").describe_parameters()
    assert waiting.is_alive()
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="go")
    waiting.join()


def test_conditional_writes_do_not_interleave(cloud, workshop):
    """Many clients count an item up under a condition; each number is given once."""
    from concurrent.futures import ThreadPoolExecutor

    table = workshop.name("table")
    dynamodb = cloud.client("dynamodb")
    dynamodb.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def claim(_):
        try:
            dynamodb.put_item(
                TableName=table, Item={"pk": {"S": "lock"}}, ConditionExpression="attribute_not_exists(pk)"
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(24))) == 1


def test_unknown_operation_is_named(cloud):
    with pytest.raises(ClientError) as refused:
        cloud.client("sagemaker").list_experiments()
    assert refused.value.response["Error"]["Code"] == "NotSimulated"
    assert "sagemaker:ListExperiments" in refused.value.response["Error"]["Message"]


def test_unknown_service_is_named(cloud):
    with pytest.raises(ClientError, match="'ec2' is not simulated"):
        _client(cloud, "ec2").describe_instances()


def test_other_region_is_named(cloud):
    other = boto3.Session("x", "x", region_name="eu-west-1").client("ssm", endpoint_url=cloud.endpoint_url)
    with pytest.raises(ClientError, match="region 'eu-west-1'"):
        other.describe_parameters()


def test_model_of_the_service_is_enforced(cloud):
    raw = json.dumps({"EndpointConfigName": "no spaces allowed!", "ProductionVariants": []}).encode()
    request = urllib.request.Request(
        cloud.endpoint_url,
        data=raw,
        headers={
            "X-Amz-Target": "SageMaker.CreateEndpointConfig",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": "AWS4-HMAC-SHA256 Credential=localadmin/20260101/us-east-1/sagemaker/aws4_request",
        },
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    answer = json.loads(refused.value.read())
    assert answer["__type"] == "ValidationException"
    assert "ProductionVariants" in answer["message"] or "EndpointConfigName" in answer["message"]


def test_request_without_credentials_is_refused(cloud):
    request = urllib.request.Request(cloud.endpoint_url, data=b"{}", headers={"X-Amz-Target": "AmazonSSM.GetParameter"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(request)


def test_an_empty_object_is_stored_at_once(cloud, workshop):
    # boto3 asks to be told to go on before it sends a body, even one of no bytes.
    s3, bucket = cloud.client("s3"), workshop.name("empty")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="nothing", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="nothing")["ContentLength"] == 0
