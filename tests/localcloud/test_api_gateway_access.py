"""Who may call a REST API, and how often: signatures, authorizers, keys, plans and rates."""

import json
from datetime import UTC, date, datetime

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from localcloud.services.api_gateway.throttling import TokenBucket
from localcloud.services.api_gateway.usage import Plans, period_start
from tests.localcloud.rest_apis import ECHO, RestApi

TOKENS = """
def handler(event, context):
    token = event["authorizationToken"]
    print("asked")
    if token == "unknown":
        raise Exception("Unauthorized")
    if token == "broken":
        raise Exception("something else")
    effect = "Deny" if token == "denied" else "Allow"
    resource = "*" if token in ("allowed", "denied") else event["methodArn"].replace("POST", "GET")
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {
        "principalId": token,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"team": "weather", "level": 3, "tester": True, "bad": ["list"]} if token == "nested" else
                   {"team": "weather", "level": 3, "tester": True},
        "usageIdentifierKey": event["authorizationToken"] * 5,
    }
"""
REQUESTS = """
def handler(event, context):
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    return {
        "principalId": event["headers"]["X-Client"],
        "policyDocument": {"Version": "2012-10-17", "Statement": statement},
        "context": {"stage": event["requestContext"]["stage"], "path": event["path"], "body": "body" in event},
    }
"""


@pytest.fixture(scope="module")
def echo(workshop):
    return workshop.function(ECHO)


def signed(api, path, role_arn=None, service="execute-api"):
    """Return the headers of a signed GET."""
    cloud = api.cloud
    credentials = Credentials("localadmin", "localadmin")
    if role_arn:
        minted = cloud.credentials.mint(role_arn, "AROAX", "session")
        credentials = Credentials(minted.access_key_id, minted.secret_access_key, minted.session_token)
    request = AWSRequest("GET", cloud.api_url(api.id, api.stage) + path)
    SigV4Auth(credentials, service, cloud.region).add_auth(request)
    return dict(request.headers)


@pytest.fixture(scope="module")
def signed_api(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/a", echo, authorizationType="AWS_IAM")
    api.method("GET", "/b", echo, authorizationType="AWS_IAM")
    api.deploy()
    return api


def may_invoke(api, path):
    arn = f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/live/GET{path}"
    return {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": arn}


def test_request_without_a_signature_is_refused(signed_api):
    answer = signed_api.call("GET", "/a")
    assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
    answer = signed_api.call("GET", "/a", headers={"Authorization": "Bearer x"})
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "IncompleteSignatureException")


def test_administrator_passes_and_is_known(signed_api):
    identity = signed_api.call("GET", "/a", headers=signed(signed_api, "/a")).json["requestContext"]["identity"]
    assert identity["userArn"].endswith(":user/localadmin")
    assert identity["accessKey"] == "localadmin"


def test_role_may_call_what_its_policy_allows(signed_api, workshop):
    role = workshop.role(may_invoke(signed_api, "/a"))
    allowed = signed_api.call("GET", "/a", headers=signed(signed_api, "/a", role))
    identity = allowed.json["requestContext"]["identity"]
    assert ":assumed-role/" in identity["userArn"]
    assert identity["caller"] == "AROAX:session"
    refused = signed_api.call("GET", "/b", headers=signed(signed_api, "/b", role))
    assert refused.status == 403
    assert (
        "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********9012:"
        in refused.json["Message"]
    )


def test_explicit_deny_wins_over_what_the_other_side_allows(workshop, echo):
    allow = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    deny = {**allow, "Effect": "Deny", "Resource": "execute-api:/*/GET/b"}
    api = RestApi(workshop, {"policy": json.dumps({"Version": "2012-10-17", "Statement": [allow, deny]})})
    for path in ("/a", "/b", "/c"):
        api.method("GET", path, echo, authorizationType="AWS_IAM")
    api.deploy()
    role = workshop.role(may_invoke(api, "/a"), may_invoke(api, "/b"), {**may_invoke(api, "/c"), "Effect": "Deny"})
    answers = [api.call("GET", path, headers=signed(api, path, role)) for path in ("/a", "/b", "/c")]
    assert [each.status for each in answers] == [200, 403, 403]
    assert all("with an explicit deny" in each.json["Message"] for each in answers[1:])


def test_signature_for_another_service_is_refused(signed_api):
    answer = signed_api.call("GET", "/a", headers=signed(signed_api, "/a", service="lambda"))
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "InvalidSignatureException")


def test_policy_of_the_api_is_heard(workshop, echo):
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*/GET/a",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    api = RestApi(workshop, {"policy": policy})
    api.method("GET", "/a", echo)
    api.method("GET", "/b", echo)
    api.deploy()
    assert api.call("GET", "/a").status == 200
    refused = api.call("GET", "/b")
    assert refused.status == 403
    assert refused.json["Message"].startswith("User: anonymous is not authorized")


@pytest.fixture(scope="module")
def tokens(workshop):
    return workshop.function(TOKENS)


@pytest.fixture(scope="module")
def guarded(workshop, echo, tokens):
    api = RestApi(workshop)
    source = "method.request.header.Authorization"
    guard = api.authorizer(tokens, type="TOKEN", identitySource=source, identityValidationExpression="[a-z]+")
    for verb in ("GET", "POST"):
        api.method(verb, "/", echo, authorizationType="CUSTOM", authorizerId=guard)
    api.deploy()
    return api


def test_authorizer_lets_in_and_its_context_reaches_the_function(guarded):
    answer = guarded.call("GET", "/", headers={"Authorization": "allowed"})
    authorizer = answer.json["requestContext"]["authorizer"]
    assert {name: authorizer[name] for name in ("principalId", "team", "level", "tester")} == {
        "principalId": "allowed",
        "team": "weather",
        "level": "3",
        "tester": "true",
    }


@pytest.mark.parametrize(
    ("token", "status", "body"),
    [
        (None, 401, {"message": "Unauthorized"}),
        ("UPPER", 401, {"message": "Unauthorized"}),
        ("unknown", 401, {"message": "Unauthorized"}),
        ("denied", 403, {"Message": "User is not authorized to access this resource with an explicit deny"}),
        ("broken", 500, {"message": None}),
        ("nested", 500, {"message": None}),
    ],
)
def test_authorizer_keeps_out(guarded, token, status, body):
    answer = guarded.call("GET", "/", headers={"Authorization": token} if token else None)
    assert (answer.status, answer.json) == (status, body)


def test_policy_of_an_authorizer_holds_for_the_method_it_names(guarded):
    assert guarded.call("GET", "/", headers={"Authorization": "reader"}).status == 200
    answer = guarded.call("POST", "/", headers={"Authorization": "reader"})
    assert (answer.status, answer.json) == (403, {"Message": "User is not authorized to access this resource"})


def test_what_an_authorizer_said_is_remembered(guarded, workshop, tokens, wait_until):
    def asked():
        return workshop.metric("AWS/Lambda", "Invocations", FunctionName=tokens)

    for _ in range(3):
        guarded.call("GET", "/", headers={"Authorization": "remembered"})
    before = asked()
    guarded.call("POST", "/", headers={"Authorization": "remembered"})
    assert asked() == before
    guarded.client.flush_stage_authorizers_cache(restApiId=guarded.id, stageName="live")
    guarded.call("GET", "/", headers={"Authorization": "remembered"})
    assert asked() == before + 1


def test_authorizer_of_requests_sees_the_request_but_for_its_body(workshop, echo):
    api = RestApi(workshop)
    function = workshop.function(REQUESTS)
    source = "method.request.header.x-client, method.request.querystring.q"
    guard = api.authorizer(function, type="REQUEST", identitySource=source, authorizerResultTtlInSeconds=0)
    api.method("POST", "/{any}", echo, authorizationType="CUSTOM", authorizerId=guard)
    api.deploy()
    assert api.call("POST", "/x", "{}", {"X-Client": "me"}).status == 401
    context = api.call("POST", "/x?q=1", "{}", {"X-Client": "me"}).json["requestContext"]["authorizer"]
    assert (context["principalId"], context["stage"], context["path"], context["body"]) == ("me", "live", "/x", "false")


def test_authorizer_without_permission_is_misconfigured(workshop, echo, tokens):
    api = RestApi(workshop)
    source = "method.request.header.Authorization"
    guard = api.authorizer(workshop.function(TOKENS), type="TOKEN", identitySource=source)
    statement = workshop.cloud.client("lambda")
    name = api.client.get_authorizer(restApiId=api.id, authorizerId=guard)["authorizerUri"].split(":")[-1].split("/")[0]
    policy = json.loads(statement.get_policy(FunctionName=name)["Policy"])
    statement.remove_permission(FunctionName=name, StatementId=policy["Statement"][0]["Sid"])
    api.method("GET", "/", echo, authorizationType="CUSTOM", authorizerId=guard)
    api.deploy()
    assert api.call("GET", "/", headers={"Authorization": "allowed"}).status == 500


@pytest.fixture(scope="module")
def keyed(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/", echo, apiKeyRequired=True)
    api.method("GET", "/open", echo)
    api.deploy()
    return api


def test_key_is_asked_for_and_known(keyed):
    _, key_id, value = keyed.plan()
    identity = keyed.call("GET", "/", headers={"x-api-key": value}).json["requestContext"]["identity"]
    assert (identity["apiKeyId"], identity["apiKey"]) == (key_id, value)
    for headers in (None, {"x-api-key": "wrong"}):
        answer = keyed.call("GET", "/", headers=headers)
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    assert "apiKeyId" not in keyed.call("GET", "/open", headers={"x-api-key": value}).json["requestContext"]["identity"]


def test_key_that_is_disabled_or_in_no_plan_of_the_stage_is_refused(keyed):
    _, key_id, value = keyed.plan()
    keyed.client.update_api_key(
        apiKey=key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
    )
    assert keyed.call("GET", "/", headers={"x-api-key": value}).status == 403
    loose = keyed.client.create_api_key(name="loose", enabled=True)
    assert keyed.call("GET", "/", headers={"x-api-key": loose["value"]}).status == 403
    elsewhere = keyed.client.create_usage_plan(name="elsewhere")["id"]
    keyed.client.create_usage_plan_key(usagePlanId=elsewhere, keyId=loose["id"], keyType="API_KEY")
    assert keyed.call("GET", "/", headers={"x-api-key": loose["value"]}).status == 403


def test_quota_ends_and_usage_is_shown(keyed):
    plan, key_id, value = keyed.plan(quota={"limit": 3, "period": "DAY"})
    answers = [keyed.call("GET", "/", headers={"x-api-key": value}) for _ in range(4)]
    assert [each.status for each in answers] == [200, 200, 200, 429]
    assert answers[-1].json == {"message": "Limit Exceeded"}
    day = str(datetime.now(UTC).date())
    used = keyed.client.get_usage(usagePlanId=plan, keyId=key_id, startDate=day, endDate=day)
    assert used["items"] == {key_id: [[3, 0]]}


def test_rate_of_a_plan_is_each_keys_own(keyed):
    plan, _, value = keyed.plan(throttle={"rateLimit": 0.01, "burstLimit": 2})
    other = keyed.client.create_api_key(name="other", enabled=True)
    keyed.client.create_usage_plan_key(usagePlanId=plan, keyId=other["id"], keyType="API_KEY")
    answers = [keyed.call("GET", "/", headers={"x-api-key": value}) for _ in range(3)]
    assert [each.status for each in answers] == [200, 200, 429]
    assert answers[-1].json == {"message": "Too Many Requests"}
    assert keyed.call("GET", "/", headers={"x-api-key": other["value"]}).status == 200


def test_rate_of_a_stage_holds_for_all(workshop, echo):
    api = RestApi(workshop)
    api.method("GET", "/a", echo)
    api.method("GET", "/b", echo)
    api.deploy()
    api.patch_stage(**{"/~1a/GET/throttling/rateLimit": 0.01, "/~1a/GET/throttling/burstLimit": 1})
    assert [api.call("GET", "/a").status for _ in range(2)] == [200, 429]
    assert [api.call("GET", "/b").status for _ in range(2)] == [200, 200]
    assert "/a/GET" in api.client.get_stage(restApiId=api.id, stageName="live")["methodSettings"]


def test_key_may_come_from_the_authorizer(workshop, echo, tokens):
    api = RestApi(workshop, {"apiKeySource": "AUTHORIZER"})
    guard = api.authorizer(tokens, type="TOKEN", identitySource="method.request.header.Authorization")
    api.method("GET", "/", echo, authorizationType="CUSTOM", authorizerId=guard, apiKeyRequired=True)
    api.deploy()
    plan, _, _ = api.plan()
    key = api.client.create_api_key(name="told", enabled=True, value="allowed" * 5)
    api.client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    answer = api.call("GET", "/", headers={"Authorization": "allowed"})
    assert answer.json["requestContext"]["identity"]["apiKeyId"] == key["id"]
    assert api.call("GET", "/", headers={"Authorization": "reader"}).status == 403


def test_values_of_keys_are_shown_only_if_they_are_asked_for(keyed):
    made = keyed.client.create_api_key(name="shown", value="v" * 20)
    assert "value" not in keyed.client.get_api_key(apiKey=made["id"])
    assert keyed.client.get_api_key(apiKey=made["id"], includeValue=True)["value"] == "v" * 20
    listed = keyed.client.get_api_keys(nameQuery="shown", includeValues=True)["items"]
    assert [each["value"] for each in listed] == ["v" * 20]
    with pytest.raises(ClientError, match="already exists"):
        keyed.client.create_api_key(name="again", value="v" * 20)


def test_throttles_of_methods_in_plans_are_refused_by_name(keyed):
    with pytest.raises(ClientError, match=r"apiStages\[0\].throttle"):
        keyed.client.create_usage_plan(
            name="x",
            apiStages=[{"apiId": keyed.id, "stage": "live", "throttle": {"/GET": {"rateLimit": 1.0}}}],
        )


def test_role_needs_permission_to_configure(cloud, workshop, keyed):
    get = {"Effect": "Allow", "Action": "apigateway:GET", "Resource": f"arn:aws:apigateway:*::/restapis/{keyed.id}"}
    client = cloud.role_client("apigateway", workshop.role(get))
    assert client.get_rest_api(restApiId=keyed.id)["name"] == keyed.name
    with pytest.raises(ClientError, match="apigateway:GET"):
        client.get_api_keys()


def test_bucket_fills_with_time():
    now = [0.0]
    bucket = TokenBucket(2.0, 3, lambda: now[0])
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("period", "first"),
    [("DAY", date(2026, 11, 18)), ("WEEK", date(2026, 11, 15)), ("MONTH", date(2026, 11, 1))],
)
def test_periods_begin(period, first):
    assert period_start(period, date(2026, 11, 18)) == first


def test_quota_of_a_new_period_is_whole_and_an_offset_is_for_the_first():
    today = [date(2026, 11, 18)]
    plans = Plans(lambda: today[0])
    plan = {"id": "p", "quota": {"limit": 3, "offset": 2, "period": "WEEK"}}
    assert [plans.count(plan, "k") for _ in range(2)] == [True, False]
    today[0] = date(2026, 11, 22)
    assert [plans.count(plan, "k") for _ in range(4)] == [True, True, True, False]
