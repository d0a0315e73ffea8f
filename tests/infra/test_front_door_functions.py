"""The functions of a front door are told what its file says, and as many of them are ready as it says."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from lambdas import contract
from stacks.config.batches import Batches, Serving
from stacks.config.callers import SegmentRule
from stacks.config.front_door_rules import front_door_problems
from tests.infra.front_doors import (
    CASES,
    ROLES,
    aliases,
    endpoint_of,
    functions,
    ids,
    in_memory,
    is_called,
    may,
    only,
    sample,
    settings,
    variables,
)


@pytest.fixture(params=CASES, ids="-".join)
def case(request, doors):
    """A template, an endpoint and its front door."""
    name, endpoint = request.param
    return doors[name].inference, *endpoint_of(doors[name], endpoint)


def environment_of(door):
    return "prod" if door.auth == "jwt" else "local"


def test_it_has_the_functions_that_its_file_asks_for_under_their_names(case):
    template, endpoint, door = case
    made = functions(template, endpoint.name)
    jobs, tokens = (["jobs", "work"] if door.jobs else []), (["authorize"] if door.auth == "jwt" else [])
    others = [
        name for name, part in (("stream", door.stream), ("batch", door.batch), ("load", door.serves_batches)) if part
    ]
    assert set(made) == {"predict", *jobs, *tokens, *others}
    for handler, (_, function) in made.items():
        name = contract.front_door_function(environment_of(door), endpoint.name, handler)
        assert function["FunctionName"] == name
        assert function["Handler"] == f"lambdas.inference.handlers.{handler}.handler"
    assert made["predict"][1]["MemorySize"] == door.memory_megabytes
    # Enough beside the model's time for a connection, and for what is looked up before: else nobody would be asked.
    assert door.timeout_seconds + 8 <= made["predict"][1]["Timeout"] < 29


def test_an_alias_is_the_newest_version_of_its_function(case):
    template, endpoint, _ = case
    versions = ids(template, "AWS::Lambda::Version", f"Endpoint{endpoint.name}")
    found = ids(template, "AWS::Lambda::Alias", f"Endpoint{endpoint.name}").values()
    assert set(aliases(template, endpoint.name)) == {
        handler for handler in functions(template, endpoint.name) if is_called(handler)
    }
    for alias in found:
        assert alias["Name"] == contract.LIVE_ALIAS
        version, attribute = alias["FunctionVersion"]["Fn::GetAtt"]
        assert attribute == "Version"
        assert versions[version]["FunctionName"] == alias["FunctionName"]


# What they are told.


def keyed_by(template, door, name):
    """Return what shows who a client is."""
    if door.auth != "api_key":
        return {client.identity: client for client in door.clients}
    keys = ids(template, "AWS::ApiGateway::ApiKey")
    ids_of = {key["Name"]: sample(logical_id) for logical_id, key in keys.items()}
    return {ids_of[f"{name}-{client.name}"]: client for client in door.clients}


def test_every_function_reads_what_the_file_says(case):
    template, endpoint, door = case
    full = endpoint.full_name(environment_of(door))
    for handler in functions(template, endpoint.name):
        read = settings(template, endpoint.name, handler)
        assert (read.endpoint, read.auth) == (full, door.auth)
        known = keyed_by(template, door, full)
        assert {key: vars(each) for key, each in read.clients.items()} == {
            key: {"name": client.name, "tester": client.tester} for key, client in known.items()
        }
        assert read.timeout_seconds == door.timeout_seconds
        assert (read.largest_body_bytes, read.most_rows) == (door.largest_body_kilobytes * 1024, door.most_rows)
        assert read.sticky is door.sticky
        assert [(each.attribute, each.values, each.send) for each in read.segments] == [
            (rule.attribute, frozenset(rule.values), rule.send) for rule in door.segments
        ]
        assert vars(read.breaker) == vars(door.breaker)
        assert read.default_answer == (door.default_answer and json.loads(door.default_answer))


def test_every_function_reads_what_is_switched_on(case):
    template, endpoint, door = case
    for handler in functions(template, endpoint.name):
        read = settings(template, endpoint.name, handler)
        assert (read.cache is None) is (door.cache is None)
        if read.cache is not None:
            assert (read.cache.seconds, read.cache.stale_seconds) == (door.cache.seconds, door.cache.stale_seconds)
        assert (read.jobs is None, read.audit is None) == (door.jobs is None, door.audit is None)
        assert (read.batch is None) is (door.batch is None)
        if read.jobs is not None:
            assert (read.jobs.attempts, read.jobs.keep_days) == (door.jobs.attempts, door.jobs.keep_days)
        if read.audit is not None:
            assert read.audit.keep_input is door.audit.keep_input
            assert read.audit.keep_output is door.audit.keep_output
            assert read.audit.redacted == frozenset(door.audit.redacted_columns)


def test_functions_know_whose_tokens_are_good(prod):
    _, door = endpoint_of(prod, "rain")
    for handler in functions(prod.inference, "rain"):
        read = settings(prod.inference, "rain", handler).jwt
        url = f"{door.tokens.issuer}/.well-known/jwks.json"
        assert vars(read) == {**vars(door.tokens), "jwks_url": door.tokens.jwks_url or url}
    assert prod.environment.endpoints[0].front_door.tokens.attributes, "or the above says little"


def test_without_tokens_none_are_good(local, opened):
    assert settings(local.inference, "rain").jwt is None
    assert settings(opened.inference, "snow").jwt is None


def test_functions_are_told_where_things_are(case):
    template, endpoint, door = case
    environment = environment_of(door)
    for handler in set(functions(template, endpoint.name)) - {"authorize", "load"}:
        told = template.text(functions(template, endpoint.name)[handler][1]["Environment"]["Variables"])
        assert told[contract.ENV_TABLE] == contract.table_name(environment)
        assert told[contract.ENV_INFERENCE_TABLE].startswith("<Table")
        assert told[contract.ENV_ARTEFACT_BUCKET].startswith(f"tidegate-{environment}-artefacts-")
        assert told[contract.ENV_BOOTSTRAP_MODEL].startswith("s3://cdk-hnb659fds-assets-")
        if handler == "batch" and not door.serves_batches:
            continue  # its rows are the container's to check
        signature = told[contract.ENV_BOOTSTRAP_SIGNATURE].removeprefix("s3://")
        allowed = may(template, f"Endpoint{endpoint.name}{ROLES[handler]}Role")
        assert allowed["ReadBootstrapSignature"]["Resource"] == f"arn:aws:s3:::{signature}"
    assert only(template, "AWS::DynamoDB::Table")["TableName"] == contract.inference_table(environment)


def padded(environment, characters):
    (rain,) = environment.endpoints
    rule = SegmentRule("client", ("x" * characters,), "candidate")
    names = tuple(client.name for client in rain.front_door.clients)
    batch = Batches(serve=Serving(clients=names))
    door = replace(rain.front_door, segments=(rule,), default_answer='{"rain": 0}', batch=batch)
    return replace(environment, endpoints=(replace(rain, front_door=door),))


def longest(environment):
    """Return an environment whose settings are as long as its rules let them be."""

    def fitting() -> Iterator[int]:
        for characters in range(4096):
            (rain,) = padded(environment, characters).endpoints
            if not [each for each in front_door_problems(rain) if each.path == "front_door.clients"]:
                yield characters

    return padded(environment, max(fitting()))


LAMBDAS_LIMIT = 4096
"""Bytes, of all names and values of a function's environment variables."""


@pytest.mark.parametrize("change", [longest, lambda environment: in_memory(longest(environment))])
def test_the_longest_settings_fit_into_an_environment(synthesise_changed, change):
    template = synthesise_changed("prod", change).inference
    sizes = {}
    for handler in functions(template, "rain"):
        told = variables(template, "rain", handler)
        sizes[handler] = sum(len(name.encode()) + len(value.encode()) for name, value in told.items())
    assert max(sizes.values()) < LAMBDAS_LIMIT - 128, "names may be longer than here"
    assert max(sizes.values()) > LAMBDAS_LIMIT / 2, "or there would be no rule to try"


# How many are ready.


@pytest.mark.parametrize(("name", "least"), [("local", 3), ("prod", 2)])
def test_instances_are_kept_ready_and_follow_what_is_asked(doors, name, least):
    template = doors[name].inference
    _, door = endpoint_of(doors[name], "rain")
    live = aliases(template, "rain")["predict"]
    alias = ids(template, "AWS::Lambda::Alias")[live]
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": least}
    ((target_id, target),) = ids(template, "AWS::ApplicationAutoScaling::ScalableTarget").items()
    name_of_alias = {"Fn::Select": [6, {"Fn::Split": [":", {"Ref": live}]}]}
    assert target["ResourceId"] == {"Fn::Join": ["", ["function:", name_of_alias, ":live"]]}
    assert (target["MinCapacity"], target["MaxCapacity"]) == (least, door.provisioned.most)
    assert target["ScalableDimension"] == "lambda:function:ProvisionedConcurrency"
    policy = only(template, "AWS::ApplicationAutoScaling::ScalingPolicy")
    assert policy["ScalingTargetId"] == f"<{target_id}>"
    tracked = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracked["TargetValue"] == door.provisioned.utilisation_percent / 100
    metric = tracked["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert metric == "LambdaProvisionedConcurrencyUtilization"


def test_more_are_ready_in_the_hours_of_work(prod):
    (target,) = ids(prod.inference, "AWS::ApplicationAutoScaling::ScalableTarget").values()
    said = {each["Schedule"]: (each["Timezone"], each["ScalableTargetAction"]) for each in target["ScheduledActions"]}
    assert said == {
        "cron(30 6 ? * MON,TUE,WED,THU,FRI *)": ("Europe/Berlin", {"MinCapacity": 10, "MaxCapacity": 40}),
        "cron(0 20 ? * MON,TUE,WED,THU,FRI *)": ("Europe/Berlin", {"MinCapacity": 2, "MaxCapacity": 40}),
    }


def test_without_hours_of_work_nothing_is_scheduled(local):
    (target,) = ids(local.inference, "AWS::ApplicationAutoScaling::ScalableTarget").values()
    assert not target.get("ScheduledActions")


def test_requests_that_find_nothing_ready_are_an_alarm(prod):
    alarm = only(prod.inference, "AWS::CloudWatch::Alarm", "EndpointrainPredictSpillOver")
    function, _ = functions(prod.inference, "rain")["predict"]
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/Lambda", "Sum")
    assert alarm["MetricName"] == "ProvisionedConcurrencySpilloverInvocations"
    dimensions = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert dimensions == {"FunctionName": f"<{function}>", "Resource": f"<{function}>:live"}
    assert alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
    assert alarm["TreatMissingData"] == "notBreaching"
    assert alarm["AlarmActions"][0].endswith(":tidegate-prod-alerts")


def test_nothing_is_kept_ready_where_the_file_does_not_say_so(opened):
    for alias in ids(opened.inference, "AWS::Lambda::Alias").values():
        assert "ProvisionedConcurrencyConfig" not in alias
    assert not opened.inference.of_type("AWS::ApplicationAutoScaling::ScalableTarget")


def test_one_is_pinged_where_the_file_says_so(opened, prod):
    rule = only(opened.inference, "AWS::Events::Rule", "Endpointsnow")
    (target,) = rule["Targets"]
    assert target["Arn"] == f"<{aliases(opened.inference, 'snow')['predict']}>", "by its alias, as callers do"
    assert json.loads(target["Input"]) == {"tidegate": "warm"}
    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert target["DeadLetterConfig"]["Arn"].startswith("<LostEventsQueue")
    assert not prod.inference.of_type("AWS::Events::Rule")
