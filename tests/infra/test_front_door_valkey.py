"""A cache in memory is sealed, opened to one user by IAM, and reached by the function alone that uses it."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from multiprocessing import get_context

import pytest

from lambdas import contract
from lambdas.inference.adapters.valkey_answers import name_of
from lambdas.inference.ports import AnswerKey
from lambdas.inference.settings import Valkey
from stacks.config.door_sizes import resources_of
from tests.infra.front_doors import HOST, NETWORK, functions, ids, in_memory, listed, may, only, settings, statements

NAME = "rain-prod"
LONGEST_NAME = 40
ROLE = "EndpointrainPredictControlRole"
NOTHING = {"CidrIp": "255.255.255.255/32", "FromPort": 252, "ToPort": 86, "IpProtocol": "icmp"}
CHANGING = {
    f"ec2:{verb}"
    for verb in (
        "AssignPrivateIpAddresses",
        "CreateNetworkInterface",
        "DeleteNetworkInterface",
        "UnassignPrivateIpAddresses",
    )
}
LOOKING = {"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"}


@pytest.fixture(scope="module")
def kept(synthesise_changed):
    """Production, with its answers in Valkey."""
    return synthesise_changed("prod", in_memory)


@pytest.fixture
def template(kept):
    return kept.inference


def group(template, beginning):
    """Return the id and the properties of a security group."""
    ((name, each),) = ids(template, "AWS::EC2::SecurityGroup", f"EndpointrainCache{beginning}").items()
    return f"<{name}.GroupId>", template.text(each)


def test_it_is_one_cache_under_the_stacks_key_without_snapshots(template):
    cache = only(template, "AWS::ElastiCache::ServerlessCache")
    assert (cache["Engine"], cache["MajorEngineVersion"]) == ("valkey", "8")
    assert cache["KmsKeyId"].startswith("<Key")
    assert cache["SnapshotRetentionLimit"] == 0
    assert cache["CacheUsageLimits"] == {
        "DataStorage": {"Maximum": 3, "Unit": "GB"},
        "ECPUPerSecond": {"Maximum": 2000},
    }
    assert cache["SubnetIds"] == list(NETWORK.subnets)
    assert len(cache["ServerlessCacheName"]) <= LONGEST_NAME
    assert cache.get("ConnectionType", "vpc") == "vpc"


def test_one_user_connects_by_iam_and_reads_and_writes_the_endpoints_answers(template):
    user = only(template, "AWS::ElastiCache::User")
    assert user["UserId"] == user["UserName"], "or IAM would not let it in"
    assert user["UserId"] == user["UserId"].lower()
    assert len(user["UserId"]) <= LONGEST_NAME
    assert user["AuthenticationMode"] == {"Type": "iam"}
    assert not {"Passwords", "NoPasswordRequired"} & set(user)
    state, keys, *commands = user["AccessString"].split()
    assert (state, commands) == ("on", ["-@all", "+get", "+set"])
    assert fnmatchcase(name_of(AnswerKey(NAME, "arn:aws:a/model@config", "hash")), keys.removeprefix("~"))
    for other in (f"{NAME}-x", f"x{NAME}", "snow-prod"):
        assert not fnmatchcase(name_of(AnswerKey(other, "a-model", "hash")), keys.removeprefix("~"))
    users = only(template, "AWS::ElastiCache::UserGroup")
    assert (users["Engine"], len(users["UserIds"])) == ("valkey", 1)
    assert only(template, "AWS::ElastiCache::ServerlessCache")["UserGroupId"].startswith("<EndpointrainCacheUsers")


def test_only_the_functions_reach_it(template):
    callers, _ = group(template, "Callers")
    reachable, own = group(template, "Reachable")
    (let_in,) = own["SecurityGroupIngress"]
    let_in.pop("Description")
    assert let_in == {"SourceSecurityGroupId": callers, "FromPort": 6379, "ToPort": 6379, "IpProtocol": "tcp"}
    (sent,) = own["SecurityGroupEgress"]
    assert {name: sent[name] for name in NOTHING} == NOTHING
    assert only(template, "AWS::ElastiCache::ServerlessCache")["SecurityGroupIds"] == [reachable]
    assert not template.of_type("AWS::EC2::SecurityGroupIngress")


def test_the_functions_reach_it_and_aws_only(template):
    callers, functions_group = group(template, "Callers")
    assert "SecurityGroupIngress" not in functions_group
    (services,) = functions_group["SecurityGroupEgress"]
    assert (services["CidrIp"], services["FromPort"], services["ToPort"]) == ("0.0.0.0/0", 443, 443)
    cache = only(template, "AWS::EC2::SecurityGroupEgress")
    assert (cache["GroupId"], cache["DestinationSecurityGroupId"]) == (callers, group(template, "Reachable")[0])
    assert (cache["FromPort"], cache["ToPort"], cache["IpProtocol"]) == (6379, 6379, "tcp")
    for beginning in ("Callers", "Reachable"):
        assert group(template, beginning)[1]["VpcId"] == NETWORK.vpc


def test_only_the_function_that_gives_answers_again_runs_there(template):
    made = functions(template, "rain")
    assert {"predict", "jobs", "work"} <= set(made)
    for handler, (_, function) in made.items():
        wanted = {"SubnetIds": list(NETWORK.subnets), "SecurityGroupIds": [group(template, "Callers")[0]]}
        assert template.text(function.get("VpcConfig")) == (wanted if handler == "predict" else None), handler


def test_the_function_is_made_after_it_may_have_interfaces(template):
    name, _ = functions(template, "rain")["predict"]
    assert any(each.startswith(f"{ROLE}DefaultPolicy") for each in template.body["Resources"][name]["DependsOn"])


def test_it_may_connect_to_its_own_cache_as_its_own_user(template):
    (cache,), (user,) = (template.of_type(f"AWS::ElastiCache::{kind}") for kind in ("ServerlessCache", "User"))
    connect = may(template, ROLE)["ConnectToCache"]
    assert connect["Action"] == "elasticache:Connect"
    assert sorted(connect["Resource"]) == sorted([f"<{cache}.ARN>", f"<{user}.Arn>"])
    for name, statement in statements(template):
        if "elasticache:Connect" in listed(statement["Action"]):
            assert name.startswith(ROLE)


def test_lambda_may_make_its_interfaces_and_its_own_code_may_not(template):
    allowed = may(template, ROLE)
    function = "arn:aws:lambda:eu-west-1:123456789012:function:tidegate-prod-rain-predict"
    assert (set(allowed["FindNetwork"]["Action"]), allowed["FindNetwork"]["Resource"]) == (LOOKING, "*")
    assert set(allowed["AttachToNetwork"]["Action"]) == CHANGING
    assert (
        allowed["AttachToNetwork"]["Resource"].replace("eu-central-1", "eu-west-1").startswith("arn:aws:ec2:eu-west-1:")
    )
    refused = allowed["KeepCodeFromNetwork"]
    assert (refused["Effect"], set(refused["Action"]), refused["Resource"]) == ("Deny", LOOKING | CHANGING, "*")
    (own,) = listed(refused["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"])
    assert own.split(":")[-2:] == function.split(":")[-2:]
    for name, statement in statements(template):
        if any(action.startswith("ec2:") for action in listed(statement["Action"])):
            assert name.startswith(ROLE)


def test_its_functions_do_without_answers_in_the_table(template):
    for name, statement in statements(template):
        keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys", [])
        assert not any(key.startswith("CACHE#") for key in keys), name


def test_the_function_is_told_where_it_is_and_who_it_is(template):
    read = settings(template, "rain").cache
    cache, user = (only(template, f"AWS::ElastiCache::{kind}") for kind in ("ServerlessCache", "User"))
    assert read.valkey == Valkey(HOST, 6379, cache["ServerlessCacheName"], user["UserName"])
    for handler in set(functions(template, "rain")) - {"predict"}:
        assert settings(template, "rain", handler).cache.valkey is None, "it has no use for it"


def test_people_are_told_of_a_cache_that_stays_away(template):
    (alarm,) = ids(template, "AWS::CloudWatch::Alarm", "EndpointrainCache").values()
    assert (alarm["Namespace"], alarm["MetricName"]) == (contract.METRIC_NAMESPACE, contract.CACHE_FAILURES_METRIC)
    assert alarm["Dimensions"] == [{"Name": contract.METRIC_ENDPOINT_DIMENSION, "Value": NAME}]
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Sum", 60, 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (3, 5), "one time-out is no outage"
    assert alarm["TreatMissingData"] == "notBreaching", "nothing is counted while all is well"
    (topic,) = template.text(alarm["AlarmActions"])
    assert topic.endswith(":tidegate-prod-alerts")


def test_its_parts_count(kept):
    assert resources_of(kept.environment) == len(kept.inference.body["Resources"])


def test_another_network_is_another_cache_under_another_name(kept, synthesise_changed):
    def moved(environment):
        (rain,) = in_memory(environment).endpoints
        network = replace(NETWORK, subnets=(*NETWORK.subnets, "subnet-0123456789abcdef2"))
        return replace(environment, endpoints=(replace(rain, front_door=replace(rain.front_door, network=network)),))

    caches = [
        only(each.inference, "AWS::ElastiCache::ServerlessCache")["ServerlessCacheName"]
        for each in (kept, synthesise_changed("prod", moved))
    ]
    assert len(set(caches)) == 2, "CloudFormation makes the new one before it deletes the old one"


def test_a_cache_in_the_table_needs_none_of_it(prod):
    kinds = {resource["Type"].split("::")[1] for _, resource in prod.every_resource}
    assert not {"EC2", "ElastiCache"} & kinds
    assert settings(prod.inference, "rain").cache.valkey is None


def test_the_checks_of_the_templates_find_nothing(kept, tmp_path, monkeypatch):
    monkeypatch.setenv("CDK_VALIDATION", "false")  # which the import takes away, and other tests want back
    from stacks.gate import check

    # In a process of its own: jsii's was told that nothing is validated when it started.
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        assert process.submit(check, kept.environment, tmp_path).result() == []
