"""Deploying a cache, its user and a function that uses it to a running local cloud."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import valkey

from localcloud.cloud import LocalCloud
from localcloud.deploy.testing import write_assembly
from localcloud.services.caches.engine import server_program
from tests.localcloud.caches import ACCESS, allowed
from tests.localcloud.conftest import LOGS, Workshop, package

FUNCTION = """
import os
import boto3, botocore.session, botocore.signers, valkey
from botocore.model import ServiceId

def token():
    session = botocore.session.get_session()  # a signer keeps no session alive, and needs its emitter
    emitter = session.get_component("event_emitter")
    credentials = session.get_credentials()
    region = os.environ["AWS_REGION"]
    signer = botocore.signers.RequestSigner(ServiceId("elasticache"), region, "elasticache", "v4", credentials, emitter)
    query = f"Action=connect&User={os.environ['CACHE_USER']}&ResourceType=ServerlessCache"
    url = f"http://{os.environ['CACHE_NAME']}/?{query}"
    request = {"method": "GET", "url": url, "body": {}, "headers": {}, "context": {}}
    return signer.generate_presigned_url(request, operation_name="connect", expires_in=900).removeprefix("http://")

def handler(event, context):
    client = valkey.Valkey(os.environ["CACHE_HOST"], int(os.environ["CACHE_PORT"]), ssl=True, ssl_check_hostname=True,
                           username=os.environ["CACHE_USER"], password=token(), socket_timeout=5)
    client.set("p:1", event, ex=60)
    account = boto3.client("sts").get_caller_identity()["Account"]
    return [client.get("p:1").decode(), account]
"""


def with_library(source: str) -> bytes:
    """Return a function's package with the client library in it."""
    buffer, library = io.BytesIO(package(source)), Path(valkey.__file__).parent
    with zipfile.ZipFile(buffer, "a") as archive:
        for module in library.rglob("*.py"):
            archive.write(module, module.relative_to(library.parent))
    return buffer.getvalue()


def stack(cache: str, access: str, description: str = "predictions") -> dict[str, Any]:
    """Return a template's cache, its user, and a function in the same network that uses it."""

    def of(kind: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::{kind}", "Properties": properties}

    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    connect = allowed({"Fn::GetAtt": ["Cache", "ARN"]}, {"Fn::GetAtt": ["User", "Arn"]})
    group, tags = {"Fn::GetAtt": ["Network", "GroupId"]}, [{"Key": "team", "Value": "models"}]
    variables = {
        "CACHE_NAME": {"Ref": "Cache"},
        "CACHE_USER": {"Ref": "User"},
        "CACHE_HOST": {"Fn::GetAtt": ["Cache", "Endpoint.Address"]},
        "CACHE_PORT": {"Fn::GetAtt": ["Cache", "Endpoint.Port"]},
    }
    return {
        "Network": of("EC2::SecurityGroup", GroupDescription="cache", VpcId="vpc-1"),
        "In": of("EC2::SecurityGroupIngress", GroupId=group, IpProtocol="tcp", FromPort=6379, ToPort=6380),
        "User": of(
            "ElastiCache::User",
            UserId=f"{cache}-user",
            UserName=f"{cache}-user",
            Engine="valkey",
            AuthenticationMode={"Type": "iam"},
            AccessString=access,
        ),
        "Group": of("ElastiCache::UserGroup", UserGroupId=f"{cache}-users", Engine="valkey", UserIds=[{"Ref": "User"}]),
        "Cache": of(
            "ElastiCache::ServerlessCache",
            ServerlessCacheName=cache,
            Engine="valkey",
            MajorEngineVersion="8",
            UserGroupId={"Ref": "Group"},
            Description=description,
            CacheUsageLimits={"DataStorage": {"Maximum": 1, "Unit": "GB"}, "ECPUPerSecond": {"Maximum": 1000}},
            SecurityGroupIds=[group],
            SubnetIds=["subnet-1", "subnet-2"],
            Tags=tags,
        ),
        "Role": of(
            "IAM::Role",
            AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [trust]},
            Policies=[{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [LOGS, connect]}}],
        ),
        "Function": of(
            "Lambda::Function",
            Code={"S3Bucket": "code-of-caches", "S3Key": "function.zip"},
            Handler="app.handler",
            Role={"Fn::GetAtt": ["Role", "Arn"]},
            Runtime="python3.14",
            Timeout=20,
            Environment={"Variables": variables},
            VpcConfig={"SecurityGroupIds": [group], "SubnetIds": ["subnet-1", "subnet-2"]},
        ),
    }


@pytest.mark.skipif(server_program() is None, reason="this machine has no server for caches")
def test_a_stack_with_a_cache_and_a_function_that_uses_it(
    cloud: LocalCloud, workshop: Workshop, tmp_path: Path
) -> None:
    cloud.client("s3").create_bucket(Bucket="code-of-caches")
    cloud.client("s3").put_object(Bucket="code-of-caches", Key="function.zip", Body=with_library(FUNCTION))
    api, name = cloud.client("elasticache"), workshop.name("stacked")

    def deploy(cache: str, access: str, **more: str) -> dict[str, Any]:
        template = {"Resources": stack(cache, access, **more)}
        cloud.deployer.deploy(write_assembly(tmp_path, {name: template}))
        resources: dict[str, Any] = cloud.deployer.stacks()[name]["resources"]
        return resources

    made = deploy(name, ACCESS)
    function = made["Function"]["made"]["physical_id"]
    assert workshop.invoke(function, "first")["Payload"] == ["first", cloud.account]
    attributes = made["Cache"]["made"]["attributes"]
    assert attributes["Endpoint.Address"] == "127.0.0.1"

    deploy(name, "on ~p:* -@all +get", description="changed")
    shown = api.describe_serverless_caches(ServerlessCacheName=name)["ServerlessCaches"][0]
    assert (shown["Description"], shown["Endpoint"]["Port"]) == ("changed", int(attributes["Endpoint.Port"]))
    assert workshop.invoke(function, "second")["Payload"]["errorType"] == "NoPermissionError"
    assert api.list_tags_for_resource(ResourceName=shown["ARN"])["TagList"] == [{"Key": "team", "Value": "models"}]

    other = deploy(f"{name}-b", ACCESS)
    assert other["Cache"]["made"]["physical_id"] == f"{name}-b"
    assert workshop.invoke(function, "third")["Payload"] == ["third", cloud.account]
    assert name not in [each["ServerlessCacheName"] for each in api.describe_serverless_caches()["ServerlessCaches"]]

    cloud.deployer.destroy([name])
    assert f"{name}-b" not in str(api.describe_serverless_caches())
    assert f"{name}-b" not in str(api.describe_users()) + str(api.describe_user_groups())
