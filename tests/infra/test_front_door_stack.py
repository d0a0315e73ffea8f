"""A front door's API lets in whom its file says, as much as it says, and refuses all others in words."""

import json
import re

import pytest

from lambdas.inference import headers
from lambdas.inference.problems import KINDS, TYPE_PREFIX
from lambdas.inference.routes import ANSWER_HEADERS, GATEWAY, REQUEST_HEADERS, ROUTES
from tests.infra.front_doors import CASES, ORIGINS, aliases, endpoint_of, functions, ids, only


@pytest.fixture(params=CASES, ids="-".join)
def case(request, doors):
    """A template, an endpoint and its front door."""
    name, endpoint = request.param
    return doors[name].inference, *endpoint_of(doors[name], endpoint)


def test_there_is_nothing_of_it_without_an_endpoint_that_asks(each):
    assert ("Inference" in each.templates) is bool(each.environment.called)
    if "Inference" not in each.templates:
        kinds = {resource["Type"] for _, resource in each.every_resource}
        assert not [kind for kind in kinds if kind.startswith(("AWS::ApiGateway", "AWS::WAFv2", "AWS::AppConfig"))]


def paths(template, endpoint):
    """Return the paths of an API's resources by logical id."""
    parents = {
        name: (template.text(each["ParentId"]).strip("<>"), each["PathPart"])
        for name, each in ids(template, "AWS::ApiGateway::Resource", f"Endpoint{endpoint}").items()
    }

    def path(name):
        parent, part = parents[name]
        return f"{path(parent) if parent in parents else ''}/{part}"

    return {name: path(name) for name in parents}


def methods(template, endpoint):
    """Return an API's methods by method and path."""
    found = ids(template, "AWS::ApiGateway::Method", f"Endpoint{endpoint}").values()
    path = paths(template, endpoint)
    return {(each["HttpMethod"], path[each["ResourceId"]["Ref"]]): each for each in found}


def called(template, endpoint):
    return {key: each for key, each in methods(template, endpoint).items() if key[0] != "OPTIONS"}


def test_it_has_the_routes_that_its_functions_answer(case):
    template, endpoint, door = case
    routes = {
        (each.method, each.path)
        for each in ROUTES
        if each.is_there(jobs=door.jobs is not None, keyed=door.serves_batches)
    }
    assert set(called(template, endpoint.name)) == routes


AUTHORISED = {
    "api_key": ("NONE", True, "HEADER"),
    "iam": ("AWS_IAM", False, "HEADER"),
    "jwt": ("CUSTOM", True, "AUTHORIZER"),
}


def test_no_method_is_called_by_whom_nobody_knows(case):
    template, endpoint, door = case
    kind, keyed, source = AUTHORISED[door.auth]
    for key, method in called(template, endpoint.name).items():
        assert (method["AuthorizationType"], method.get("ApiKeyRequired", False)) == (kind, keyed), key
        assert ("AuthorizerId" in method) is (door.auth == "jwt"), key
    assert only(template, "AWS::ApiGateway::RestApi", f"Endpoint{endpoint.name}")["ApiKeySourceType"] == source


def test_tokens_are_read_by_a_function_and_asked_for_again_in_time(prod):
    template = prod.inference
    ((name, authorizer),) = ids(template, "AWS::ApiGateway::Authorizer").items()
    assert all(each["AuthorizerId"] == {"Ref": name} for each in called(template, "rain").values())
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"
    assert 0 < authorizer["AuthorizerResultTtlInSeconds"] <= 300
    assert {"Ref": aliases(template, "rain")["authorize"]} in authorizer["AuthorizerUri"]["Fn::Join"][1]


def test_only_pages_of_the_origins_in_the_file_may_ask_before(case):
    template, endpoint, door = case
    asked = [path for method, path in methods(template, endpoint.name) if method == "OPTIONS"]
    assert sorted(asked) == (sorted({path for _, path in called(template, endpoint.name)}) if door.cors_origins else [])


def test_pages_learn_which_headers_they_may_send_and_read(opened):
    found = [each for key, each in methods(opened.inference, "snow").items() if key[0] == "OPTIONS"]
    for method in found:
        (response,) = method["Integration"]["IntegrationResponses"]
        allowed = {name.rpartition(".")[2]: value for name, value in response["ResponseParameters"].items()}
        assert allowed["Access-Control-Allow-Origin"] == f"'{ORIGINS[0]}'"
        assert ORIGINS[1] in response["ResponseTemplates"]["application/json"]
        sent = set(allowed["Access-Control-Allow-Headers"].strip("'").split(","))
        assert {"Content-Type", "Authorization", "X-Api-Key", *REQUEST_HEADERS} <= sent
        shown = set(allowed["Access-Control-Expose-Headers"].strip("'").split(","))
        assert {*ANSWER_HEADERS, headers.REPLAYED} <= shown


def test_it_is_regional_and_speaks_tls_1_2(case):
    template, endpoint, _ = case
    api = only(template, "AWS::ApiGateway::RestApi", f"Endpoint{endpoint.name}")
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["SecurityPolicy"] == "TLS_1_2"


def stage(template, endpoint):
    return only(template, "AWS::ApiGateway::Stage", f"Endpoint{endpoint}")


def test_all_callers_together_are_limited(case):
    template, endpoint, door = case
    (every,) = stage(template, endpoint.name)["MethodSettings"]
    assert (every["HttpMethod"], every["ResourcePath"]) == ("*", "/*")
    assert (every["ThrottlingRateLimit"], every["ThrottlingBurstLimit"]) == (door.requests_per_second, door.burst)


def test_the_access_log_tells_who_called_and_neither_what_nor_by_which_secret(case):
    template, endpoint, _ = case
    found = stage(template, endpoint.name)
    assert found["MethodSettings"][0]["DataTraceEnabled"] is False, "it would log bodies"
    told = json.loads(found["AccessLogSetting"]["Format"])
    assert {"$context.requestId", "$context.status", "$context.identity.apiKeyId", "$context.authorizer.client"} <= {
        *told.values()
    }
    secret = re.compile(r"apiKey$|token|claims|principalId|\$input|body|path$|header|authorizer\.(?!client$)", re.I)
    assert not [value for value in told.values() if secret.search(value.replace("resourcePath", ""))]
    group = found["AccessLogSetting"]["DestinationArn"].rpartition(":")[2].strip("<>")
    assert group in template.of_type("AWS::Logs::LogGroup")


def test_the_group_of_the_execution_log_is_there_before_api_gateway_makes_one_without_end_or_key(case):
    template, endpoint, _ = case
    (every,) = stage(template, endpoint.name)["MethodSettings"]
    assert every["LoggingLevel"] == "ERROR", "where it is OFF there is no such group"
    ((api, _),) = ids(template, "AWS::ApiGateway::RestApi", f"Endpoint{endpoint.name}").items()
    (name,) = ids(template, "AWS::ApiGateway::Stage", f"Endpoint{endpoint.name}")
    made = ids(template, "AWS::Logs::LogGroup")
    groups = {template.text(each.get("LogGroupName")): key for key, each in made.items()}
    group = groups[f"API-Gateway-Execution-Logs_<{api}>/{stage(template, endpoint.name)['StageName']}"]
    assert {"RetentionInDays", "KmsKeyId"} <= set(made[group])
    assert group in template.of_type("AWS::ApiGateway::Stage")[name]["DependsOn"]


def test_nothing_is_logged_before_the_account_may(case):
    template, endpoint, _ = case
    ((account, _),) = ids(template, "AWS::ApiGateway::Account").items()
    for name, each in template.of_type("AWS::ApiGateway::Stage").items():
        if name.startswith(f"Endpoint{endpoint.name}"):
            assert account in each["DependsOn"]


def test_functions_are_called_by_their_aliases_and_answer_before_the_api_gives_up(case):
    template, endpoint, _ = case
    live, made = aliases(template, endpoint.name), functions(template, endpoint.name)
    handlers = {(each.method, each.path): each.handler for each in ROUTES}
    for key, method in called(template, endpoint.name).items():
        integration = method["Integration"]
        assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS_PROXY", "POST")
        assert {"Ref": live[handlers[key]]} in integration["Uri"]["Fn::Join"][1], key
        assert made[handlers[key]][1]["Timeout"] * 1000 < integration["TimeoutInMillis"] <= 29_000, key


def test_only_aliases_may_be_invoked_and_only_from_what_is_named(case):
    template, endpoint, door = case
    found = ids(template, "AWS::Lambda::Permission", f"Endpoint{endpoint.name}").values()
    invoked = {template.text(each["FunctionName"]) for each in found}
    by_handler = {f"<{name}>": handler for handler, name in aliases(template, endpoint.name).items()}
    made = functions(template, endpoint.name)
    # Nobody waits for it to start, so that no version of it is kept ready.
    swept = {f"<{made['batch'][0]}.Arn>"} if door.batch else set()
    assert {by_handler[name] for name in invoked - swept} == {
        "predict",
        *(["jobs"] if door.jobs else []),
        *(["authorize"] if door.auth == "jwt" else []),
    }
    assert swept <= invoked
    for each in found:
        if template.text(each["FunctionName"]) in swept:
            assert each["Principal"] == "events.amazonaws.com"
        assert each["Action"] == "lambda:InvokeFunction"
        assert each["Principal"] in ("apigateway.amazonaws.com", "events.amazonaws.com")
        source = template.text(each["SourceArn"])
        assert source.startswith(("arn:aws:execute-api:", f"<Endpoint{endpoint.name}"))
        assert "test-invoke-stage" not in source


# What the API answers by itself.


def refusals(template, endpoint):
    found = ids(template, "AWS::ApiGateway::GatewayResponse", f"Endpoint{endpoint}").values()
    return {each["ResponseType"]: each for each in found}


def document(refusal):
    return json.loads(refusal["ResponseTemplates"]["application/json"].replace("$context.requestId", "a-1"))


def test_it_refuses_in_the_words_of_its_functions(case):
    template, endpoint, _ = case
    for kind, refusal in refusals(template, endpoint.name).items():
        found = document(refusal)
        assert "$" not in json.dumps(found), kind
        status, title = KINDS[found["type"].removeprefix(TYPE_PREFIX)]
        assert found["title"] == title, kind
        assert found["detail"].endswith("."), kind
        assert found["instance"] == "urn:tidegate:request:a-1"
        assert refusal["ResponseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        if kind.startswith("DEFAULT_"):
            assert kind == f"DEFAULT_{status // 100}XX"
            assert "status" not in found, "it stands for many"
            assert "StatusCode" not in refusal, kind
        else:
            assert (found["status"], refusal["StatusCode"]) == (status, str(status)), kind


def test_what_is_deployed_refuses_in_these_words(case):
    template, endpoint, _ = case
    (deployment,) = [
        each
        for name, each in template.of_type("AWS::ApiGateway::Deployment").items()
        if name.startswith(f"Endpoint{endpoint.name}")
    ]
    said = set(ids(template, "AWS::ApiGateway::GatewayResponse", f"Endpoint{endpoint.name}"))
    assert said <= set(deployment["DependsOn"]), "a stage serves what there was when it was deployed"


def test_every_refusal_that_a_caller_may_meet_is_said(case):
    template, endpoint, _ = case
    found = refusals(template, endpoint.name)
    said = {document(each)["type"].removeprefix(TYPE_PREFIX) for each in found.values()}
    # A body of another format is refused by the function.
    assert set(GATEWAY) - {"unsupported-media-type"} <= said
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(found)


def test_who_is_too_fast_or_too_early_learns_when_to_come_again(case):
    template, endpoint, _ = case
    retried = {
        kind
        for kind, each in refusals(template, endpoint.name).items()
        if "gatewayresponse.header.Retry-After" in each["ResponseParameters"]
    }
    assert retried == {"THROTTLED", "INTEGRATION_TIMEOUT", "DEFAULT_5XX"}


def test_pages_may_read_refusals(case):
    template, endpoint, door = case
    for each in refusals(template, endpoint.name).values():
        shown = each["ResponseParameters"].get("gatewayresponse.header.Access-Control-Allow-Origin")
        assert shown == ("'*'" if door.cors_origins else None)
