"""Deploying data streams, Parquet deliveries and configurations to a running local cloud."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from localcloud.deploy.testing import write_assembly
from localcloud.physics.settings import PhysicsSettings

ACCOUNT = {"Ref": "AWS::AccountId"}
SOURCE = """
import base64, boto3, os

def handler(event, context):
    for record in event["Records"]:
        text = base64.b64decode(record["kinesis"]["data"]).decode()
        boto3.client("sqs").send_message(QueueUrl=os.environ["OUT"], MessageBody=text)
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud(settings=PhysicsSettings(configuration_deployment_limit_seconds=0.3)) as running:
        yield running


class Site:
    """A deployer of the running cloud."""

    def __init__(self, cloud: LocalCloud, folder: Path, name: str) -> None:
        self.cloud, self.folder, self.name = cloud, folder, name

    def deploy(self, resources: dict[str, Any]) -> None:
        self.cloud.deployer.deploy(write_assembly(self.folder, {self.name: {"Resources": resources}}))

    def physical(self, logical_id: str) -> str:
        return str(self.cloud.deployer.stacks()[self.name]["resources"][logical_id]["made"]["physical_id"])


@pytest.fixture
def site(cloud: LocalCloud, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(cloud, tmp_path, request.node.name.replace("_", "-")[:40].rstrip("-"))
    yield made
    if made.name in cloud.deployer.stacks():
        cloud.deployer.destroy([made.name])


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def role(service: str, *actions: str) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    policy = {"PolicyName": "own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [allowed]}}
    return of("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]}, Policies=[policy])


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def reader(**stream: Any) -> dict[str, Any]:
    actions = ("kinesis:*", "sqs:SendMessage", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
    return {
        "Stream": of("Kinesis::Stream", **stream),
        "Out": of("SQS::Queue"),
        "Role": role("lambda", *actions),
        "Reader": of(
            "Lambda::Function",
            Code={"ZipFile": SOURCE},
            Handler="index.handler",
            Runtime="python3.13",
            Role=att("Role", "Arn"),
            Timeout=20,
            Environment={"Variables": {"OUT": {"Ref": "Out"}}},
        ),
        "Mapping": of(
            "Lambda::EventSourceMapping",
            FunctionName={"Ref": "Reader"},
            EventSourceArn=att("Stream", "Arn"),
            StartingPosition="TRIM_HORIZON",
            BatchSize=10,
            ParallelizationFactor=2,
            BisectBatchOnFunctionError=True,
            DestinationConfig={"OnFailure": {"Destination": att("Out", "Arn")}},
        ),
    }


def test_a_stream_is_read_by_its_function_and_changes_in_place(cloud: LocalCloud, site: Site) -> None:
    encryption = {"EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    site.deploy(reader(ShardCount=2, RetentionPeriodHours=48, StreamEncryption=encryption))
    kinesis, name = cloud.client("kinesis"), site.physical("Stream")
    described = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert (described["OpenShardCount"], described["RetentionPeriodHours"]) == (2, 48)
    assert described["KeyId"] == "alias/aws/kinesis"

    kinesis.put_record(StreamName=name, Data=b"hello", PartitionKey="k")
    answer = cloud.client("sqs").receive_message(QueueUrl=site.physical("Out"), WaitTimeSeconds=20)
    assert [message["Body"] for message in answer["Messages"]] == ["hello"]

    site.deploy(reader(ShardCount=2, Tags=[{"Key": "a", "Value": "b"}]))
    described = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert (described["RetentionPeriodHours"], described["EncryptionType"]) == (24, "NONE")
    with pytest.raises(DeployFailedError, match="ShardCount"):
        site.deploy(reader(ShardCount=3))


def test_a_delivery_stream_converts_by_a_table_of_the_stack(cloud: LocalCloud, site: Site) -> None:
    place = {"DatabaseName": {"Ref": "Database"}, "TableName": {"Ref": "Table"}}
    conversion = {
        "SchemaConfiguration": {"RoleARN": att("Role", "Arn"), "VersionId": "LATEST", **place},
        "InputFormatConfiguration": {"Deserializer": {"OpenXJsonSerDe": {}}},
        "OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {"Compression": "SNAPPY"}}},
    }
    destination = {
        "BucketARN": att("Bucket", "Arn"),
        "RoleARN": att("Role", "Arn"),
        "BufferingHints": {"SizeInMBs": 64, "IntervalInSeconds": 60},
        "DataFormatConversionConfiguration": conversion,
    }

    def resources(*columns: str) -> dict[str, Any]:
        described = [{"Name": name, "Type": "string"} for name in columns]
        table = {"Name": "answers", "StorageDescriptor": {"Columns": described}}
        return {
            "Bucket": of("S3::Bucket"),
            "Role": role("firehose", "s3:PutObject", "glue:GetTable", "glue:GetTableVersions"),
            "Database": of("Glue::Database", CatalogId=ACCOUNT, DatabaseInput={"Name": "audit"}),
            "Table": of("Glue::Table", CatalogId=ACCOUNT, DatabaseName={"Ref": "Database"}, TableInput=table),
            "Delivery": of("KinesisFirehose::DeliveryStream", ExtendedS3DestinationConfiguration=destination),
        }

    site.deploy(resources("id"))
    site.deploy(resources("id", "extra"))
    versions = cloud.client("glue").get_table_versions(DatabaseName="audit", TableName="answers")["TableVersions"]
    assert [len(each["Table"]["StorageDescriptor"]["Columns"]) for each in versions] == [2, 1]
    name = site.physical("Delivery")
    described = cloud.client("firehose").describe_delivery_stream(DeliveryStreamName=name)
    (found,) = described["DeliveryStreamDescription"]["Destinations"]
    schema = found["ExtendedS3DestinationDescription"]["DataFormatConversionConfiguration"]["SchemaConfiguration"]
    assert schema["TableName"] == "answers"
    cloud.deployer.destroy([site.name])
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        cloud.client("glue").get_database(Name="audit")


def configuration(enabled: bool) -> dict[str, Any]:
    flags = {"version": "1", "flags": {"cache": {"name": "Cache"}}, "values": {"cache": {"enabled": enabled}}}
    app, profile = {"ApplicationId": {"Ref": "App"}}, {"ConfigurationProfileId": {"Ref": "Flags"}}
    return {
        "App": of("AppConfig::Application", Name="app"),
        "Environment": of("AppConfig::Environment", Name="local", **app),
        "Flags": of(
            "AppConfig::ConfigurationProfile",
            Name="flags",
            LocationUri="hosted",
            Type="AWS.AppConfig.FeatureFlags",
            **app,
        ),
        "Version": of(
            "AppConfig::HostedConfigurationVersion",
            Content=json.dumps(flags),
            ContentType="application/json",
            **app,
            **profile,
        ),
        "Strategy": of(
            "AppConfig::DeploymentStrategy",
            Name="quick",
            DeploymentDurationInMinutes=1,
            GrowthFactor=50,
            FinalBakeTimeInMinutes=0,
            ReplicateTo="NONE",
        ),
        "Deployment": of(
            "AppConfig::Deployment",
            EnvironmentId={"Ref": "Environment"},
            ConfigurationVersion={"Ref": "Version"},
            DeploymentStrategyId={"Ref": "Strategy"},
            **app,
            **profile,
        ),
    }


def test_a_configuration_is_deployed_and_deployed_again(cloud: LocalCloud, site: Site) -> None:
    data = cloud.client("appconfigdata")

    def polled() -> Any:
        token = data.start_configuration_session(
            ApplicationIdentifier="app", EnvironmentIdentifier="local", ConfigurationProfileIdentifier="flags"
        )["InitialConfigurationToken"]
        return json.loads(data.get_latest_configuration(ConfigurationToken=token)["Configuration"].read())

    site.deploy(configuration(True))
    assert polled() == {"cache": {"enabled": True}}
    site.deploy(configuration(False))
    assert polled() == {"cache": {"enabled": False}}
    assert site.physical("Deployment") == "2"
    cloud.deployer.destroy([site.name])
    assert cloud.client("appconfig").list_applications()["Items"] == []
