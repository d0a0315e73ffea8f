"""REST APIs in front of functions: routes, the proxy format, snapshots, and what goes wrong."""

import json
import threading
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.localcloud.rest_apis import ANSWERS, ECHO, RestApi, uri_of


@pytest.fixture(scope="module")
def echo(workshop):
    return workshop.function(ECHO)


@pytest.fixture(scope="module")
def answers(workshop):
    return workshop.function(ANSWERS)


@pytest.fixture(scope="module")
def api(workshop, echo, answers):
    made = RestApi(workshop)
    made.method("POST", "/predictions", echo)
    made.method("GET", "/jobs/{id}", echo)
    made.method("ANY", "/files/{proxy+}", echo)
    made.method("POST", "/answers", answers)
    made.deploy()
    return made


def test_function_gets_the_request_in_the_proxy_format(api):
    event = api.call(
        "POST",
        "/predictions?a=1&a=2&b=%20x&c=",
        '{"x": "ü"}',
        [("Content-Type", "application/json"), ("X-Two", "1"), ("X-Two", "2"), ("user-agent", "tests")],
    ).json
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/predictions", "/predictions", "POST")
    assert event["body"] == '{"x": "ü"}'
    assert event["isBase64Encoded"] is False
    assert event["headers"]["X-Two"] == "2"
    assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert event["queryStringParameters"] == {"a": "2", "b": " x", "c": ""}
    assert event["multiValueQueryStringParameters"]["a"] == ["1", "2"]
    assert event["pathParameters"] is None
    assert event["stageVariables"] is None
    assert "Content-Length" not in event["headers"]


def test_request_context_names_request_stage_and_caller(api):
    answer = api.call("POST", "/predictions", "{}", {"User-Agent": "tests"})
    context = answer.json["requestContext"]
    assert context["requestId"] == answer.headers["x-amzn-requestid"]
    assert (context["apiId"], context["stage"], context["path"]) == (api.id, "live", "/live/predictions")
    assert (context["resourcePath"], context["resourceId"]) == ("/predictions", api.resources["/predictions"])
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["identity"]["userAgent"] == "tests"
    assert context["identity"]["userArn"] is None
    assert context["requestTimeEpoch"] > 1_600_000_000_000


def test_variables_and_rests_of_paths_reach_the_function_as_they_were_sent(api):
    assert api.call("GET", "/jobs/a%2Fb").json["pathParameters"] == {"id": "a%2Fb"}
    event = api.call("DELETE", "/files/a/b%20c").json
    assert (event["pathParameters"], event["resource"]) == ({"proxy": "a/b%20c"}, "/files/{proxy+}")


@pytest.mark.parametrize(("verb", "path"), [("GET", "/predictions"), ("POST", "/nothing"), ("GET", "/jobs/1/2")])
def test_what_the_api_does_not_have_is_a_missing_token(api, verb, path):
    answer = api.call(verb, path)
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
    assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


def test_api_answers_under_its_host_too(api):
    answer = api.call("POST", "/predictions", "{}", host=f"{api.id}.execute-api.localhost")
    assert answer.json["path"] == "/predictions"


def test_unknown_stage_and_api_are_forbidden(api, cloud):
    for url in (cloud.api_url(api.id, "other"), cloud.api_url("nothing", "live")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{url}/predictions")
        assert caught.value.code == 403
        caught.value.close()


def test_answer_has_the_functions_status_headers_and_body(api):
    told = {
        "statusCode": 202,
        "headers": {"Location": "/jobs/1", "X-Flag": True, "Connection": "close", "Transfer-Encoding": "chunked"},
        "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        "body": "grün",
    }
    answer = api.call("POST", "/answers", json.dumps(told))
    assert (answer.status, answer.body.decode()) == (202, "grün")
    assert (answer.headers["location"], answer.headers["x-flag"]) == ("/jobs/1", "true")
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["x-amzn-remapped-connection"] == "close"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["transfer-encoding"] is None


@pytest.mark.parametrize(
    "told",
    [
        {"statusCode": "many"},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "answer": "x"},
        {"statusCode": 200, "headers": {"X": 1}},
        {"statusCode": 200, "headers": {"X": "a\nb"}},
        ["list"],
        None,
    ],
)
def test_what_is_no_answer_is_a_bad_gateway(api, told):
    answer = api.call("POST", "/answers", json.dumps(told))
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})


def test_function_that_fails_is_a_bad_gateway(api):
    answer = api.call("POST", "/answers", "no json")
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})


def test_bodies_that_are_too_large_are_refused(api):
    of_gateway = api.call("POST", "/predictions", b"x" * (10 * 1024 * 1024 + 1))
    assert of_gateway.status == 413
    assert of_gateway.json == {"message": "HTTP content length exceeded 10485760 bytes."}
    of_function = api.call("POST", "/predictions", b"x" * (6 * 1024 * 1024))
    assert (of_function.status, of_function.json) == (413, {"message": "Request Too Long"})


def test_headers_that_are_too_large_are_refused(api):
    assert api.call("POST", "/predictions", "{}", {"X-Long": "x" * 9_500}).status == 200
    assert api.call("POST", "/predictions", "{}", {"X-Long": "x" * 10_300}).status == 431


def test_bytes_that_are_no_text_are_replaced(api):
    event = api.call("POST", "/predictions", b"a\xffb").json
    assert (event["body"], event["isBase64Encoded"]) == ("a\ufffdb", False)


def test_slow_function_is_a_timeout(workshop):
    slow = workshop.function("import time\ndef handler(event, context):\n    time.sleep(5)\n    return {}")
    api = RestApi(workshop)
    api.method("GET", "/slow", slow, timeout=300)
    api.deploy()
    answer = api.call("GET", "/slow")
    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})


def test_function_is_invoked_only_if_its_policy_lets_the_api(workshop):
    function = workshop.function(ECHO)
    api = RestApi(workshop)
    api.method("GET", "/closed", function, permit=False)
    api.deploy()
    assert api.call("GET", "/closed").status == 500
    api.permit(function, "other/GET/closed")
    assert api.call("GET", "/closed").status == 500
    api.permit(function, "live/GET/closed")
    assert api.call("GET", "/closed").status == 200


def test_throttled_function_is_an_internal_error(cloud, workshop):
    function = workshop.function(ECHO)
    cloud.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    api = RestApi(workshop)
    api.method("GET", "/", function)
    api.deploy()
    assert api.call("GET", "/").status == 500
    cloud.client("lambda").delete_function_concurrency(FunctionName=function)
    assert api.call("GET", "/").status == 200


def test_stage_serves_its_snapshot_until_the_next_deployment(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/old", echo)
    first = api.deploy()
    api.method("GET", "/new", echo)
    api.client.delete_resource(restApiId=api.id, resourceId=api.resource("/old"))
    assert (api.call("GET", "/old").status, api.call("GET", "/new").status) == (200, 403)
    second = api.deploy()
    assert (api.call("GET", "/old").status, api.call("GET", "/new").status) == (403, 200)
    with pytest.raises(ClientError, match="Active stages"):
        api.client.delete_deployment(restApiId=api.id, deploymentId=second)
    api.patch_stage(**{"/deploymentId": first})
    assert api.call("GET", "/old").status == 200


def test_switching_deployments_loses_no_request(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/", echo)
    before, statuses, over = api.deploy(), [], threading.Event()

    def keep_calling():
        while not over.is_set():
            statuses.append(api.call("GET", "/").status)

    caller = threading.Thread(target=keep_calling)
    caller.start()
    while len(statuses) < 30:
        now = api.deploy()
        api.client.delete_deployment(restApiId=api.id, deploymentId=before)
        before = now
    over.set()
    caller.join()
    assert set(statuses) == {200}


def test_stage_variables_reach_the_function(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/", echo)
    api.deploy()
    api.patch_stage(**{"/variables/colour": "green"})
    assert api.call("GET", "/").json["stageVariables"] == {"colour": "green"}


def test_status_names_the_stages_urls(api, cloud):
    url = cloud.api_url(api.id, "live")
    with urllib.request.urlopen(f"{cloud.endpoint_url}/_localcloud/status") as answer:
        listed = json.load(answer)["apis"]
    assert {"name": api.name, "id": api.id, "stage": "live", "url": url} in listed


def test_control_plane_shows_what_was_made(api):
    shown = {each["path"]: each for each in api.client.get_resources(restApiId=api.id, embed=["methods"])["items"]}
    method = shown["/predictions"]["resourceMethods"]["POST"]
    assert method["methodIntegration"]["type"] == "AWS_PROXY"
    assert method["methodIntegration"]["timeoutInMillis"] == 29000
    assert api.name in [each["name"] for each in api.client.get_rest_apis(limit=500)["items"]]
    page = api.client.get_resources(restApiId=api.id, limit=2)
    assert len(page["items"]) == 2
    assert page["position"]


def test_deleted_api_is_gone(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/", echo)
    api.deploy()
    api.client.delete_stage(restApiId=api.id, stageName="live")
    assert api.call("GET", "/").status == 403
    api.client.delete_rest_api(restApiId=api.id)
    with pytest.raises(ClientError, match="NotFoundException"):
        api.client.get_rest_api(restApiId=api.id)


def test_what_is_not_simulated_is_refused_by_name(workshop, echo):
    api = RestApi(workshop)
    where = {"restApiId": api.id, "resourceId": api.resource("/x"), "httpMethod": "GET"}
    with pytest.raises(ClientError, match="binaryMediaTypes"):
        api.client.create_rest_api(
            name="x", endpointConfiguration={"types": ["REGIONAL"]}, binaryMediaTypes=["image/png"]
        )
    with pytest.raises(ClientError, match="edge-optimised"):
        api.client.create_rest_api(name="x")
    with pytest.raises(ClientError, match="COGNITO_USER_POOLS"):
        api.client.put_method(**where, authorizationType="COGNITO_USER_POOLS")
    api.client.put_method(**where, authorizationType="NONE")
    with pytest.raises(ClientError, match="HTTP_PROXY"):
        api.client.put_integration(**where, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://x")
    arn = uri_of("arn:aws:lambda:us-east-1:123456789012:function:x")
    with pytest.raises(ClientError, match="credentials"):
        api.client.put_integration(
            **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=arn, credentials="arn:aws:iam::1:role/x"
        )
    with pytest.raises(ClientError, match="GetExport"):
        api.client.get_export(restApiId=api.id, stageName="live", exportType="oas30")
