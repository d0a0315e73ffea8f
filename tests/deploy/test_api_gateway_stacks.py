"""A REST API out of a template: made, changed with a new deployment, and destroyed."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.deploy.errors import UnsupportedError
from localcloud.deploy.testing import write_assembly

STACK = "apis"
SOURCE = """
import json

def handler(event, context):
    if event.get("type") == "TOKEN":
        allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": [allow]}
        return {"principalId": event["authorizationToken"], "policyDocument": policy}
    return {"statusCode": 200, "body": json.dumps(event["requestContext"])}
"""
ASSUMED = {"Effect": "Allow", "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as running:
        yield running


@pytest.fixture
def deploy(cloud: LocalCloud, tmp_path: Path) -> Iterator[Any]:
    def deploy(resources: dict[str, Any]) -> dict[str, Any]:
        cloud.deployer.deploy(write_assembly(tmp_path, {STACK: {"Resources": resources}}))
        made: dict[str, Any] = cloud.deployer.stacks()[STACK]["resources"]
        return {name: each["made"]["physical_id"] for name, each in made.items()}

    yield deploy
    if STACK in cloud.deployer.stacks():
        cloud.deployer.destroy([STACK])


def of(kind: str, depends_on: Any = (), **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties, "DependsOn": list(depends_on)}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, attribute]}


def role(service: str, *managed: str) -> dict[str, Any]:
    trust = {"Version": "2012-10-17", "Statement": [{**ASSUMED, "Principal": {"Service": service}}]}
    return of("IAM::Role", AssumeRolePolicyDocument=trust, ManagedPolicyArns=list(managed))


def invocations(arn: Any) -> dict[str, Any]:
    prefix = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    return {"Fn::Join": ["", [prefix, arn, "/invocations"]]}


def permission(api: str, function: Any) -> dict[str, Any]:
    source = {"Fn::Join": ["", ["arn:aws:execute-api:us-east-1:123456789012:", ref(api), "/*"]]}
    principal = "apigateway.amazonaws.com"
    return of(
        "Lambda::Permission",
        Action="lambda:InvokeFunction",
        FunctionName=function,
        Principal=principal,
        SourceArn=source,
    )


def function(handler: str = "index.handler") -> dict[str, Any]:
    return of(
        "Lambda::Function",
        Code={"ZipFile": SOURCE},
        Handler=handler,
        Role=att("Role", "Arn"),
        Runtime="python3.13",
        Timeout=20,
    )


def method(verb: str, target: Any, **properties: Any) -> dict[str, Any]:
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": target, "TimeoutInMillis": 5000}
    where = {"RestApiId": ref("Api"), "ResourceId": ref("Predictions"), "HttpMethod": verb}
    return of("ApiGateway::Method", **{"Integration": integration, "AuthorizationType": "NONE", **where, **properties})


def preflight() -> dict[str, Any]:
    header = "method.response.header.Access-Control-Allow-Origin"
    integration = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": "{ statusCode: 204 }"},
        "IntegrationResponses": [{"StatusCode": "204", "ResponseParameters": {header: "'*'"}}],
    }
    answers = [{"StatusCode": "204", "ResponseParameters": {header: True}}]
    return method("OPTIONS", "", Integration=integration, MethodResponses=answers)


def settings(rate: float) -> list[dict[str, Any]]:
    return [
        {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": rate, "ThrottlingBurstLimit": 100},
        {"ResourcePath": "/~1predictions", "HttpMethod": "POST", "MetricsEnabled": True},
    ]


def template(deployment: str = "First", verb: str = "POST", rate: float = 50.0) -> dict[str, Any]:
    push = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    api = {"RestApiId": ref("Api")}
    return {
        "Role": role("lambda.amazonaws.com"),
        "Function": function(),
        "Api": of(
            "ApiGateway::RestApi",
            Name="front",
            EndpointConfiguration={"Types": ["REGIONAL"]},
            ApiKeySourceType="HEADER",
            SecurityPolicy="TLS_1_2",
        ),
        "Permission": permission("Api", att("Function", "Arn")),
        "Predictions": of("ApiGateway::Resource", **api, ParentId=att("Api", "RootResourceId"), PathPart="predictions"),
        "Guard": of(
            "ApiGateway::Authorizer",
            **api,
            Name="guard",
            Type="TOKEN",
            AuthorizerUri=invocations(att("Function", "Arn")),
            IdentitySource="method.request.header.Authorization",
        ),
        "Post": method(
            verb,
            invocations(att("Function", "Arn")),
            AuthorizationType="CUSTOM",
            AuthorizerId=ref("Guard"),
            ApiKeyRequired=True,
            RequestValidatorId=ref("Validator"),
            RequestModels={"application/json": ref("Model")},
        ),
        "Preflight": preflight(),
        "Validator": of("ApiGateway::RequestValidator", **api, ValidateRequestBody=True),
        "Model": of("ApiGateway::Model", **api, Schema={"type": "object", "required": ["instances"]}),
        "Error": of(
            "ApiGateway::GatewayResponse",
            **api,
            ResponseType="DEFAULT_4XX",
            ResponseTemplates={"application/json": '{"detail": $context.error.messageString}'},
        ),
        deployment: of("ApiGateway::Deployment", ["Post", "Preflight", "Error"], **api),
        "Account": of("ApiGateway::Account", CloudWatchRoleArn=att("LogRole", "Arn")),
        "LogRole": role("apigateway.amazonaws.com", push),
        "Log": of("Logs::LogGroup", LogGroupName="/apis/front"),
        "Stage": of(
            "ApiGateway::Stage",
            ["Account"],
            **api,
            StageName="live",
            DeploymentId=ref(deployment),
            MethodSettings=settings(rate),
            AccessLogSetting={"DestinationArn": att("Log", "Arn"), "Format": "$context.requestId"},
            TracingEnabled=True,
            Variables={"colour": "blue"},
        ),
        "Key": of("ApiGateway::ApiKey", Enabled=True, Name="client", Value="k" * 30),
        "Plan": of(
            "ApiGateway::UsagePlan",
            UsagePlanName="plan",
            ApiStages=[{"ApiId": ref("Api"), "Stage": ref("Stage"), "Throttle": {}}],
            Throttle={"RateLimit": rate, "BurstLimit": 100},
            Quota={"Limit": 1000, "Period": "MONTH"},
        ),
        "Member": of("ApiGateway::UsagePlanKey", KeyId=ref("Key"), KeyType="API_KEY", UsagePlanId=ref("Plan")),
        "Firewall": of("WAFv2::WebACL", Scope="REGIONAL", DefaultAction={"Allow": {}}),
        "Walled": of("WAFv2::WebACLAssociation", ResourceArn="any", WebACLArn=att("Firewall", "Arn")),
    }


def call(cloud: LocalCloud, api: str, verb: str, **headers: str) -> tuple[int, Any]:
    request = urllib.request.Request(
        cloud.api_url(api, "live") + "/predictions", b'{"instances": []}', {"Content-Type": "application/json"}
    )
    request.method = verb
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request) as answer:
            body = answer.read()
            return answer.status, json.loads(body) if body else None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_stack_makes_an_api_that_answers(cloud: LocalCloud, deploy: Any) -> None:
    made = deploy(template())
    key = {"Authorization": "me", "x_api_key": "k" * 30}
    status, context = call(cloud, made["Api"], "POST", **key)
    assert (status, context["identity"]["apiKeyId"]) == (200, made["Key"])
    assert context["authorizer"]["principalId"] == "me"
    assert call(cloud, made["Api"], "OPTIONS") == (204, None)
    assert call(cloud, made["Api"], "POST") == (401, {"detail": "Unauthorized"})
    stage = cloud.client("apigateway").get_stage(restApiId=made["Api"], stageName="live")
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 50.0
    assert stage["methodSettings"]["/predictions/POST"]["metricsEnabled"] is True
    assert stage["variables"] == {"colour": "blue"}


def test_change_is_live_with_a_new_deployment_only(cloud: LocalCloud, deploy: Any) -> None:
    key = {"Authorization": "me", "x_api_key": "k" * 30}
    made = deploy(template())
    changed = deploy(template(verb="PUT"))
    assert changed["Stage"] == made["Stage"]
    assert call(cloud, made["Api"], "POST", **key)[0] == 200
    assert call(cloud, made["Api"], "PUT", **key)[0] == 403
    now = deploy(template("Second", verb="PUT", rate=60.0))
    assert "First" not in now
    assert call(cloud, made["Api"], "PUT", **key)[0] == 200
    client = cloud.client("apigateway")
    assert [each["id"] for each in client.get_deployments(restApiId=made["Api"])["items"]] == [now["Second"]]
    assert client.get_usage_plan(usagePlanId=now["Plan"])["throttle"]["rateLimit"] == 60.0
    stage = client.get_stage(restApiId=made["Api"], stageName="live")
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 60.0


def test_stack_that_is_destroyed_leaves_nothing(cloud: LocalCloud, deploy: Any) -> None:
    deploy(template())
    cloud.deployer.destroy([STACK])
    client = cloud.client("apigateway")
    assert client.get_rest_apis()["items"] == []
    assert client.get_usage_plans()["items"] == []
    assert client.get_api_keys()["items"] == []


def test_api_in_front_of_an_alias(cloud: LocalCloud, deploy: Any) -> None:
    resources = {
        "Role": role("lambda.amazonaws.com"),
        "Function": function(),
        "Version": of("Lambda::Version", FunctionName=ref("Function")),
        "Alias": of(
            "Lambda::Alias", FunctionName=ref("Function"), FunctionVersion=att("Version", "Version"), Name="live"
        ),
        "Api": of("ApiGateway::RestApi", Name="front", EndpointConfiguration={"Types": ["REGIONAL"]}),
        "Permission": permission("Api", ref("Alias")),
        "Predictions": of(
            "ApiGateway::Resource", RestApiId=ref("Api"), ParentId=att("Api", "RootResourceId"), PathPart="predictions"
        ),
        "Post": method("POST", invocations(ref("Alias"))),
        "Deployment": of("ApiGateway::Deployment", ["Post"], RestApiId=ref("Api")),
        "Stage": of("ApiGateway::Stage", RestApiId=ref("Api"), StageName="live", DeploymentId=ref("Deployment")),
    }
    made = deploy(resources)
    assert call(cloud, made["Api"], "POST")[0] == 200
    resources["Permission"] = permission("Api", ref("Function"))
    made = deploy(resources)
    assert call(cloud, made["Api"], "POST")[0] == 500  # what the function lets in, its alias does not


def test_properties_that_are_not_handled_stop_a_deployment(deploy: Any) -> None:
    api = of("ApiGateway::RestApi", Name="x", BinaryMediaTypes=["image/png"])
    with pytest.raises(UnsupportedError, match="property BinaryMediaTypes is not handled"):
        deploy({"Api": api})


def served(name: str) -> dict[str, Any]:
    """Return an API with a stage that is called as any other's."""
    api = {"RestApiId": ref(name)}
    root = {"ResourceId": att(name, "RootResourceId"), "HttpMethod": "GET", "AuthorizationType": "NONE"}
    return {
        name: of("ApiGateway::RestApi", Name=name, EndpointConfiguration={"Types": ["REGIONAL"]}),
        f"{name}Get": of("ApiGateway::Method", **api, **root, Integration={"Type": "MOCK"}),
        f"{name}Snapshot": of("ApiGateway::Deployment", [f"{name}Get"], **api),
        f"{name}Stage": of("ApiGateway::Stage", **api, StageName="live", DeploymentId=ref(f"{name}Snapshot")),
    }


def test_each_api_may_have_a_stage_of_the_same_name(deploy: Any) -> None:
    made = deploy({**served("One"), **served("Other")})
    assert made["OneStage"] == made["OtherStage"] == "live"
