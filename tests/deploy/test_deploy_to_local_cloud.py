"""Deploying templates to a running local cloud by real API calls: create, nothing, update, back, destroy."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localcloud.cloud import LocalCloud
from localcloud.deploy.deployer import DeployFailedError
from localcloud.deploy.testing import CallRecorder, write_assembly

SERVICES = ("dynamodb", "events", "iam", "kms", "lambda", "logs", "s3", "sagemaker", "sns", "sqs", "ssm")

SOURCE = """
import json, urllib.request

def handler(event, context):
    properties = event["ResourceProperties"]
    answer = {key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")}
    answer["Status"] = "FAILED" if properties.get("Fail") == event["RequestType"] else "SUCCESS"
    answer["Reason"] = "told to fail"
    answer["PhysicalResourceId"] = properties["Key"]
    answer["Data"] = {"Said": properties.get("Say", "") + "/" + event["RequestType"]}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request, timeout=60)
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


class Site:
    """A deployer of the running cloud, and a count of the calls it makes."""

    def __init__(self, cloud: LocalCloud, folder: Path, name: str) -> None:
        self.cloud, self.folder, self.name = cloud, folder, name
        self.recorder = CallRecorder()
        for service in SERVICES:
            self.recorder.listen(cloud.client(service))

    def deploy(self, resources: dict[str, Any], **sections: Any) -> list[str]:
        """Deploy; return the mutating operations that it took."""
        self.recorder.operations.clear()
        template = {"Resources": resources, **sections}
        self.cloud.deployer.deploy(write_assembly(self.folder, {self.name: template}))
        return self.recorder.mutations()

    def destroy(self) -> None:
        """Destroy the stack."""
        self.cloud.deployer.destroy([self.name])

    def physical(self, logical_id: str) -> str:
        """Return what a resource is called in the cloud."""
        return str(self.cloud.deployer.stacks()[self.name]["resources"][logical_id]["made"]["physical_id"])


@pytest.fixture
def site(cloud: LocalCloud, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    made = Site(cloud, tmp_path, request.node.name.replace("_", "-")[:40].rstrip("-"))
    yield made
    if made.name in cloud.deployer.stacks():
        made.destroy()


def of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def allow(action: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trusting(service: str) -> dict[str, Any]:
    principal = {"Principal": {"Service": f"{service}.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **principal}
    return {"Version": "2012-10-17", "Statement": [statement]}


def tags(version: int) -> list[dict[str, str]]:
    return [{"Key": "version", "Value": str(version)}, {"Key": f"only-{version}", "Value": "x"}]


def storage(version: int) -> dict[str, Any]:
    """Return a key, buckets, a table and a parameter, in one of two versions that differ in every resource."""
    account = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    root = {"Principal": {"AWS": account}, "Sid": f"V{version}"}
    days = {"NoncurrentDays": 30 * version}
    lifecycle = {"Rules": [{"Id": "a", "Status": "Enabled", "NoncurrentVersionExpiration": days, "Prefix": "x/"}]}
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": att("Key", "Arn")}
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    return {
        "Key": of("KMS::Key", KeyPolicy=allow("kms:*", **root), EnableKeyRotation=version == 1, Tags=tags(version)),
        "Alias": of("KMS::Alias", AliasName="alias/storage", TargetKeyId=att("Key", "Arn")),
        "Bucket": of(
            "S3::Bucket",
            BucketEncryption={"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": encryption}]},
            VersioningConfiguration={"Status": "Enabled"},
            PublicAccessBlockConfiguration={"BlockPublicAcls": "true", "BlockPublicPolicy": True},
            OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            Tags=tags(version),
            **({"LifecycleConfiguration": lifecycle} if version == 1 else {}),
        ),
        "BucketPolicy": of(
            "S3::BucketPolicy",
            Bucket=ref("Bucket"),
            PolicyDocument=allow("s3:GetObject", {"Fn::Sub": "${Bucket.Arn}/*"}, **root),
        ),
        "Table": of(
            "DynamoDB::Table",
            TableName="things",
            AttributeDefinitions=[{"AttributeName": key["AttributeName"], "AttributeType": "S"} for key in keys],
            KeySchema=keys,
            BillingMode="PAY_PER_REQUEST",
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": version == 1},
            SSESpecification={"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": att("Key", "Arn")},
            Tags=tags(version),
        ),
        "Parameter": of(
            "SSM::Parameter",
            Name="/storage/settings",
            Type="String",
            Value={"Fn::Sub": "${Table} in ${AWS::Region}, " + str(version)},
            Tags={f"only-{version}": "x"},
        ),
    }


def messaging(version: int) -> dict[str, Any]:
    """Return queues, a topic and rules, in one of two versions that differ in every resource."""

    def sender(service: str, action: str, resource: Any) -> dict[str, Any]:
        principal = {"Principal": {"Service": f"{service}.amazonaws.com"}, "Sid": f"V{version}"}
        return allow(action, resource, **principal)

    redrive = {"deadLetterTargetArn": att("Dead", "Arn"), "maxReceiveCount": 3 + version}
    target = {
        "Id": f"Target{version}",
        "Arn": att("Queue", "Arn"),
        "RetryPolicy": {"MaximumRetryAttempts": "3", "MaximumEventAgeInSeconds": 3600},
        "DeadLetterConfig": {"Arn": att("Dead", "Arn")},
    }
    pattern = {"source": ["aws.sagemaker"], "detail-type": [f"SageMaker Model Package State Change {version}"]}
    return {
        "Dead": of("SQS::Queue", MessageRetentionPeriod=86400 * version, Tags=tags(version)),
        "Queue": of("SQS::Queue", VisibilityTimeout=str(150 * version), RedrivePolicy=redrive),
        "QueuePolicy": of(
            "SQS::QueuePolicy",
            Queues=[ref("Queue")],
            PolicyDocument=sender("events", "sqs:SendMessage", att("Queue", "Arn")),
        ),
        "Topic": of("SNS::Topic", DisplayName=f"v{version}", Tags=tags(version)),
        "TopicPolicy": of(
            "SNS::TopicPolicy", Topics=[ref("Topic")], PolicyDocument=sender("cloudwatch", "sns:Publish", ref("Topic"))
        ),
        "Rule": of("Events::Rule", EventPattern=pattern, State="ENABLED", Targets=[target]),
        "Group": of("SageMaker::ModelPackageGroup", ModelPackageGroupName="things", Tags=tags(version)),
        "Logs": of("Logs::LogGroup", RetentionInDays=7 if version == 1 else 30, Tags=tags(version)),
    }


def test_storage_comes_changes_and_goes(site: Site) -> None:
    site.deploy(storage(1))
    assert site.deploy(storage(1), Description="the same in other words") == []
    first = dict(site.cloud.deployer.stacks()[site.name]["resources"])
    site.deploy(storage(2))
    assert [site.physical(name) for name in first] == [entry["made"]["physical_id"] for entry in first.values()]

    bucket, key = site.physical("Bucket"), site.physical("Key")
    s3, kms = site.cloud.client("s3"), site.cloud.client("kms")
    assert {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]} == {"version", "only-2"}
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    value = site.cloud.client("ssm").get_parameter(Name="/storage/settings")["Parameter"]["Value"]
    assert value == "things in us-east-1, 2"
    table = site.cloud.client("dynamodb").describe_table(TableName="things")["Table"]
    assert table["SSEDescription"]["Status"] in ("ENABLED", "UPDATING")

    site.destroy()
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    assert "things" not in site.cloud.client("dynamodb").list_tables()["TableNames"]


def test_messaging_comes_changes_and_goes(site: Site) -> None:
    site.deploy(messaging(1))
    assert site.deploy(messaging(1), Description="the same in other words") == []
    site.deploy(messaging(2))

    sqs, events = site.cloud.client("sqs"), site.cloud.client("events")
    found = sqs.get_queue_attributes(QueueUrl=site.physical("Queue"), AttributeNames=["All"])["Attributes"]
    assert (found["VisibilityTimeout"], json.loads(found["RedrivePolicy"])["maxReceiveCount"]) == ("300", 5)
    targets = events.list_targets_by_rule(Rule=site.physical("Rule"))["Targets"]
    assert [(target["Id"], target["RetryPolicy"]["MaximumRetryAttempts"]) for target in targets] == [("Target2", 3)]
    topic = site.cloud.client("sns").get_topic_attributes(TopicArn=site.physical("Topic"))["Attributes"]
    assert (topic["DisplayName"], "V2" in topic["Policy"]) == ("v2", True)

    site.destroy()
    assert sqs.list_queues().get("QueueUrls", []) == []
    assert events.list_rules()["Rules"] == []


def test_a_policy_that_sqs_does_not_take_fails_the_deploy(site: Site) -> None:
    def queue(statements: int) -> dict[str, Any]:
        (one,) = allow("sqs:SendMessage", att("Queue", "Arn"), Principal="*")["Statement"]
        document = {"Version": "2012-10-17", "Statement": [one | {"Sid": f"S{each}"} for each in range(statements)]}
        return {
            "Queue": of("SQS::Queue"),
            "Policy": of("SQS::QueuePolicy", Queues=[ref("Queue")], PolicyDocument=document),
        }

    site.deploy(queue(20))
    with pytest.raises(DeployFailedError, match="21 statements were found in the submitted policy") as caught:
        site.deploy(queue(21))
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    site.destroy()


def functions(fail: str = "", say: str = "hello", key: str = "one", action: str = "s3:GetObject") -> dict[str, Any]:
    inline = [{"PolicyName": "own", "PolicyDocument": allow(action)}]
    return {
        "Role": of("IAM::Role", AssumeRolePolicyDocument=trusting("lambda"), Policies=inline),
        "Policy": of("IAM::Policy", PolicyName="more", PolicyDocument=allow("s3:PutObject"), Roles=[ref("Role")]),
        "Function": of(
            "Lambda::Function",
            Code={"ZipFile": SOURCE},
            Handler="index.handler",
            Runtime="python3.13",
            Role=att("Role", "Arn"),
            Timeout="20",
            Environment={"Variables": {"COUNT": 3, "FLAG": True}},
        ),
        "Asked": {
            "Type": "Custom::Asked",
            "Properties": {"ServiceToken": att("Function", "Arn"), "Key": key, "Say": say, "Fail": fail},
        },
        "Parameter": of("SSM::Parameter", Type="String", Value=att("Asked", "Said")),
    }


def said(site: Site) -> str:
    name = site.physical("Parameter")
    return str(site.cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def test_a_custom_resource_is_served_by_a_real_function_and_rolled_back(site: Site) -> None:
    site.deploy(functions())
    assert said(site) == "hello/Create"
    site.deploy(functions(say="bye", action="s3:ListBucket"))
    assert said(site) == "bye/Update"
    with pytest.raises(DeployFailedError, match="told to fail") as caught:
        site.deploy(functions(say="never", fail="Update", action="s3:DeleteObject"))
    assert caught.value.status == "UPDATE_ROLLBACK_COMPLETE"
    policy = site.cloud.client("iam").get_role_policy(RoleName=site.physical("Role"), PolicyName="own")
    assert policy["PolicyDocument"]["Statement"][0]["Action"] == "s3:ListBucket"
    variables = site.cloud.client("lambda").get_function_configuration(FunctionName=site.physical("Function"))
    assert variables["Environment"]["Variables"] == {"COUNT": "3", "FLAG": "true"}


def test_what_a_failed_create_made_is_gone_from_the_cloud(site: Site) -> None:
    with pytest.raises(DeployFailedError, match="told to fail") as caught:
        site.deploy(functions(fail="Create"))
    assert caught.value.status == "ROLLBACK_COMPLETE"
    assert site.cloud.client("lambda").list_functions()["Functions"] == []
    assert site.cloud.client("iam").list_roles()["Roles"] == []


def test_inert_properties_are_accepted_and_touch_nothing(site: Site) -> None:
    def resources(prefix: str) -> dict[str, Any]:
        logging = {"DestinationBucketName": ref("Logs"), "LogFilePrefix": prefix}
        metadata = of("CDK::Metadata", Analytics=f"v2:{prefix}")
        return {"Logs": of("S3::Bucket"), "Bucket": of("S3::Bucket", LoggingConfiguration=logging), "Meta": metadata}

    assert site.deploy(resources("a/")) == ["s3:CreateBucket", "s3:CreateBucket"]
    assert site.deploy(resources("b/")) == []


def test_parameters_from_ssm_are_read_again_at_every_deploy(site: Site) -> None:
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/given/size"}
    ssm = site.cloud.client("ssm")
    ssm.put_parameter(Name="/given/size", Value="30", Type="String")
    resources = {"Queue": of("SQS::Queue", VisibilityTimeout=ref("Size"))}
    site.deploy(resources, Parameters={"Size": parameter})
    assert site.deploy(resources, Parameters={"Size": parameter}) == []
    ssm.put_parameter(Name="/given/size", Value="60", Type="String", Overwrite=True)
    assert site.deploy(resources, Parameters={"Size": parameter}) == ["sqs:SetQueueAttributes"]


def test_what_cdk_expects_of_its_bootstrap_is_there(site: Site) -> None:
    name = "/cdk-bootstrap/test/version"
    version = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}
    old = {"Fn::Contains": [["1", "2", "3", "4", "5"], ref("BootstrapVersion")]}
    rule = {"Assertions": [{"Assert": {"Fn::Not": [old]}, "AssertDescription": "version 6 is needed"}]}
    sections = {"Parameters": {"BootstrapVersion": version}, "Rules": {"CheckBootstrapVersion": rule}}
    template = {"Resources": {"Queue": of("SQS::Queue")}, **sections}
    write_assembly(site.folder, {site.name: template})
    manifest = json.loads((site.folder / "manifest.json").read_text())
    needs = {"requiresBootstrapStackVersion": 6, "bootstrapStackVersionSsmParameter": name}
    manifest["artifacts"][site.name]["properties"].update(needs)
    (site.folder / "manifest.json").write_text(json.dumps(manifest))
    result = site.cloud.deployer.deploy(site.folder)[0]
    assert result.status == "CREATE_COMPLETE"
    assert site.cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"] == "6"


def test_cloudformation_answers_what_the_stacks_are(site: Site) -> None:
    output = {"Value": att("Queue", "Arn"), "Export": {"Name": "queue-arn"}}
    site.deploy({"Queue": of("SQS::Queue")}, Outputs={"Arn": output})
    client = site.cloud.client("cloudformation")
    stack = client.describe_stacks(StackName=site.name)["Stacks"][0]
    assert (stack["StackStatus"], stack["Outputs"][0]["ExportName"]) == ("CREATE_COMPLETE", "queue-arn")
    resource = client.describe_stack_resources(StackName=site.name)["StackResources"][0]
    assert (resource["LogicalResourceId"], resource["PhysicalResourceId"]) == ("Queue", site.physical("Queue"))
    assert client.list_exports()["Exports"][0]["Name"] == "queue-arn"
    assert client.describe_stack_events(StackName=site.name)["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    assert json.dumps(site.cloud.deployer.stacks())
    with pytest.raises(ClientError, match="Stack with id ghost does not exist"):
        client.describe_stacks(StackName="ghost")


def retraining(version: int) -> dict[str, Any]:
    """Return a pipeline and a key that signs, in one of two versions."""
    account = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    check = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Word"}, "RightValue": {"Ref": "AWS::Region"}}
    step = {"Name": f"Check{version}", "Type": "Condition", "Arguments": {"Conditions": [check]}}
    parameters = [{"Name": "Word", "Type": "String"}]
    body = {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": [step]}
    # Of the two forms of a definition, a template of the CDK's has either.
    text = {"Fn::Sub": json.dumps(body).replace('{"Ref": "AWS::Region"}', '"${AWS::Region}"')}
    return {
        "Role": of("IAM::Role", AssumeRolePolicyDocument=trusting("sagemaker")),
        "Pipeline": of(
            "SageMaker::Pipeline",
            PipelineName="retraining",
            PipelineDescription=f"version {version}",
            PipelineDefinition={"PipelineDefinitionBody": text if version == 1 else body},
            ParallelismConfiguration={"MaxParallelExecutionSteps": str(version)},
            RoleArn=att("Role", "Arn"),
            Tags=tags(version),
        ),
        "SigningKey": of(
            "KMS::Key",
            KeySpec="ECC_NIST_P256",
            KeyUsage="SIGN_VERIFY",
            KeyPolicy=allow("kms:*", Principal={"AWS": account}),
        ),
    }


def test_a_pipeline_and_a_signing_key_come_change_and_go(site: Site) -> None:
    site.deploy(retraining(1))
    assert site.deploy(retraining(1), Description="the same in other words") == []
    sagemaker, kms = site.cloud.client("sagemaker"), site.cloud.client("kms")
    first = sagemaker.describe_pipeline(PipelineName=site.physical("Pipeline"))
    assert (
        json.loads(first["PipelineDefinition"])["Steps"][0]["Arguments"]["Conditions"][0]["RightValue"] == "us-east-1"
    )
    key = site.physical("SigningKey")
    signed = kms.sign(KeyId=key, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")["Signature"]
    assert kms.verify(KeyId=key, Message=b"x", Signature=signed, SigningAlgorithm="ECDSA_SHA_256")["SignatureValid"]

    mutations = site.deploy(retraining(2))
    assert set(mutations) == {f"sagemaker:{name}" for name in ("UpdatePipeline", "AddTags", "DeleteTags")}
    second = sagemaker.describe_pipeline(PipelineName="retraining")
    assert json.loads(second["PipelineDefinition"])["Steps"][0]["Name"] == "Check2"
    assert second["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    found = sagemaker.list_tags(ResourceArn=second["PipelineArn"])["Tags"]
    assert {tag["Key"] for tag in found} == {"version", "only-2"}

    site.destroy()
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_pipeline(PipelineName="retraining")


def test_a_pipeline_that_cannot_be_run_stops_the_deployment(site: Site) -> None:
    resources = retraining(1)
    resources["Pipeline"]["Properties"]["PipelineDefinition"] = {"PipelineDefinitionBody": "{}"}
    with pytest.raises(DeployFailedError, match="Unable to parse pipeline definition"):
        site.deploy(resources)
