"""Designed errors, validation, preflights, metrics and access logs of REST APIs."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.rest_apis import ANSWERS, ECHO, RestApi

PROBLEM = (
    '{"type": "urn:problem:$context.error.responseType", "detail": $context.error.messageString, '
    '"instance": "urn:request:$context.requestId"}'
)
SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["instances"],
    "properties": {"instances": {"type": "array"}},
}


@pytest.fixture(scope="module")
def echo(workshop):
    return workshop.function(ECHO)


@pytest.fixture
def api(workshop, echo):
    made = RestApi(workshop)
    made.method("GET", "/", echo)
    return made


def design(api, kind, template=PROBLEM, media_type="application/json", **more):
    api.client.put_gateway_response(
        restApiId=api.id, responseType=kind, responseTemplates={media_type: template}, **more
    )


def test_errors_are_answered_as_designed(api):
    headers = {
        "gatewayresponse.header.Content-Type": "'application/problem+json'",
        "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
        "gatewayresponse.header.X-Request": "context.requestId",
    }
    design(api, "DEFAULT_4XX", responseParameters=headers)
    api.deploy()
    answer = api.call("GET", "/nothing")
    request_id = answer.headers["x-amzn-requestid"]
    assert answer.status == 403
    assert answer.json == {
        "type": "urn:problem:MISSING_AUTHENTICATION_TOKEN",
        "detail": "Missing Authentication Token",
        "instance": f"urn:request:{request_id}",
    }
    assert answer.headers.get_all("content-type") == ["application/problem+json"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-request"] == request_id


def test_design_of_a_type_wins_over_that_of_its_class(api):
    design(api, "DEFAULT_4XX", '{"is": "any"}')
    design(api, "MISSING_AUTHENTICATION_TOKEN", '{"is": "it"}', statusCode="404")
    api.deploy()
    answer = api.call("GET", "/nothing")
    assert (answer.status, answer.json) == (404, {"is": "it"})


def test_failures_of_functions_are_designed_too(workshop):
    api = RestApi(workshop)
    api.method("POST", "/", workshop.function(ANSWERS))
    design(api, "DEFAULT_5XX", '{"detail": "$context.error.message", "type": "$context.error.responseType"}')
    api.deploy()
    answer = api.call("POST", "/", "[]")
    assert (answer.status, answer.json) == (502, {"detail": "Internal server error", "type": "DEFAULT_5XX"})


def test_designs_beyond_variables_are_refused_by_name(api):
    with pytest.raises(ClientError, match="#set"):
        design(api, "DEFAULT_4XX", "#set($a = 1)")
    with pytest.raises(ClientError, match=r"\$input"):
        design(api, "DEFAULT_4XX", "$input.body")


@pytest.fixture(scope="module")
def validated(workshop, echo):
    api = RestApi(workshop)
    client = api.client
    client.create_model(restApiId=api.id, name="Predictions", contentType="application/json", schema=json.dumps(SCHEMA))
    validator = client.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    api.method(
        "POST",
        "/",
        echo,
        requestValidatorId=validator,
        requestModels={"application/json": "Predictions"},
        requestParameters={"method.request.querystring.q": True, "method.request.header.X-Any": False},
    )
    design(api, "BAD_REQUEST_BODY", '{"why": "$context.error.validationErrorString"}')
    api.deploy()
    return api


def test_parameters_that_are_required_must_be_there(validated):
    answer = validated.call("POST", "/", '{"instances": []}')
    assert answer.status == 400
    assert answer.json == {"message": "Missing required request parameters: [q]"}


@pytest.mark.parametrize(
    ("body", "status"),
    [('{"instances": []}', 200), ('{"instances": 1}', 400), ("{}", 400), ("no json", 400)],
)
def test_bodies_must_fit_their_model(validated, body, status):
    answer = validated.call("POST", "/?q=1", body, {"Content-Type": "application/json"})
    assert answer.status == status
    assert status == 200 or answer.body.startswith(b'{"why": "[')


def test_body_of_another_type_is_held_against_no_model(validated):
    assert validated.call("POST", "/?q=1", "no json", {"Content-Type": "text/plain"}).status == 200


def test_mock_answers_a_preflight(api):
    where = {"restApiId": api.id, "resourceId": api.resource("/"), "httpMethod": "OPTIONS"}
    api.client.put_method(**where, authorizationType="NONE")
    name = "method.response.header.Access-Control-Allow-Origin"
    api.client.put_method_response(**where, statusCode="204", responseParameters={name: True})
    api.client.put_integration(**where, type="MOCK", requestTemplates={"application/json": "{ statusCode: 204 }"})
    api.client.put_integration_response(**where, statusCode="204", responseParameters={name: "'https://x'"})
    api.deploy()
    answer = api.call("OPTIONS", "/")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "https://x"


def test_requests_are_measured(api, workshop):
    api.deploy()
    for path in ("/", "/", "/nothing"):
        api.call("GET", path)
    stage = {"ApiName": api.name, "Stage": "live"}
    assert workshop.metric("AWS/ApiGateway", "Count", ApiName=api.name) == 3
    assert workshop.metric("AWS/ApiGateway", "Count", **stage) == 3
    assert workshop.metric("AWS/ApiGateway", "4XXError", **stage) == 1
    assert workshop.metric("AWS/ApiGateway", "5XXError", **stage) == 0
    latency = workshop.metric("AWS/ApiGateway", "Latency", **stage)
    assert latency >= workshop.metric("AWS/ApiGateway", "IntegrationLatency", **stage) > 0


def test_methods_are_measured_if_the_stage_says_so(api, workshop):
    api.deploy()
    api.patch_stage(**{"/*/*/metrics/enabled": "true"})
    api.call("GET", "/")
    method = {"ApiName": api.name, "Stage": "live", "Method": "GET", "Resource": "/"}
    assert workshop.metric("AWS/ApiGateway", "Count", **method) == 1


@pytest.fixture(scope="module")
def log_role(cloud, workshop):
    arn = workshop.role(service="apigateway.amazonaws.com")
    policy = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
    cloud.client("iam").attach_role_policy(RoleName=arn.rsplit("/", 1)[-1], PolicyArn=policy)
    return arn


def set_role(client, role):
    change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    client.update_account(patchOperations=[change])


def test_access_log_has_a_line_for_each_request(api, cloud, workshop, log_role, wait_until):
    set_role(api.client, log_role)
    group = workshop.name("/access/log")
    cloud.client("logs").create_log_group(logGroupName=group)
    api.deploy()
    text = (
        '{"id": "$context.requestId", "ip": "$context.identity.sourceIp", "key": "$context.identity.apiKeyId", '
        '"path": "$context.path", "resource": "$context.resourcePath", "status": $context.status, '
        '"length": $context.responseLength, "took": $context.responseLatency, '
        '"function": "$context.integration.status", "error": "$context.error.responseType"}'
    )
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    api.patch_stage(**{"/accessLogSettings/destinationArn": arn, "/accessLogSettings/format": text})
    answers = [api.call("GET", "/"), api.call("GET", "/nothing")]

    def lines():
        found = cloud.client("logs").filter_log_events(logGroupName=group)["events"]
        return [json.loads(each["message"]) for each in found] if len(found) == 2 else None

    by_status = {each["status"]: each for each in wait_until(lines)}
    fine, missing = by_status[200], by_status[403]
    assert fine["id"] == answers[0].headers["x-amzn-requestid"]
    assert (fine["ip"], fine["key"], fine["path"], fine["resource"]) == ("127.0.0.1", "-", "/live/", "/")
    assert (fine["length"], fine["function"], fine["error"]) == (len(answers[0].body), "200", "-")
    assert (missing["resource"], missing["function"], missing["error"]) == ("-", "-", "MISSING_AUTHENTICATION_TOKEN")


def test_access_log_needs_the_accounts_role(api):
    set_role(api.client, "")
    api.deploy()
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:x"
    with pytest.raises(ClientError, match="CloudWatch Logs role ARN must be set"):
        api.patch_stage(**{"/accessLogSettings/destinationArn": arn, "/accessLogSettings/format": "$context.requestId"})


def test_role_for_logs_must_be_api_gateways_and_may_write(api, workshop):
    for role in (workshop.role(), workshop.role(service="apigateway.amazonaws.com")):
        with pytest.raises(ClientError, match="does not have required permissions"):
            set_role(api.client, role)
