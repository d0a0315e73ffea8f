"""Each client may send what its file says, a firewall stands before all of them, and operators learn where it is."""

import json
import re

import pytest

from lambdas import contract
from tests.infra.front_doors import CASES, endpoint_of, ids, only


@pytest.fixture(params=CASES, ids="-".join)
def case(request, doors):
    """A template, an endpoint and its front door."""
    name, endpoint = request.param
    return doors[name].inference, *endpoint_of(doors[name], endpoint)


def test_each_client_has_a_plan_of_its_own(case):
    template, endpoint, door = case
    prefix = f"Endpoint{endpoint.name}"
    keys = ids(template, "AWS::ApiGateway::ApiKey", prefix)
    plans = ids(template, "AWS::ApiGateway::UsagePlan", prefix)
    members = ids(template, "AWS::ApiGateway::UsagePlanKey", prefix).values()
    found = {keys[each["KeyId"]["Ref"]]["Name"]: plans[each["UsagePlanId"]["Ref"]] for each in members}
    full = endpoint.full_name("prod" if door.auth == "jwt" else "local")
    counted = door.clients if door.auth != "iam" else ()
    assert set(found) == {f"{full}-{client.name}" for client in counted}
    assert len(keys) == len(plans) == len(counted)
    for client in counted:
        plan = found[f"{full}-{client.name}"]
        assert plan["Throttle"] == {"RateLimit": client.requests_per_second, "BurstLimit": client.burst}
        quota = {"Limit": client.monthly_requests, "Period": "MONTH"}
        assert plan.get("Quota") == (quota if client.monthly_requests else None)
        (limited,) = template.text(plan["ApiStages"])
        assert limited["Stage"].startswith(f"<{prefix}Api")
        assert limited["ApiId"].startswith(f"<{prefix}Api")


def test_keys_that_let_somebody_in_stand_in_no_template(case):
    template, endpoint, door = case
    for each in ids(template, "AWS::ApiGateway::ApiKey", f"Endpoint{endpoint.name}").values():
        assert each["Enabled"] is True
        client = each["Name"].removeprefix("rain-prod-")
        counted = contract.front_door_key("rain-prod", client) if door.auth == "jwt" else None
        assert each.get("Value") == counted


def test_a_firewall_stands_before_the_stage(case):
    template, endpoint, door = case
    prefix = f"Endpoint{endpoint.name}"
    ((acl, rules),) = ids(template, "AWS::WAFv2::WebACL", prefix).items()
    association = only(template, "AWS::WAFv2::WebACLAssociation", prefix)
    ((live, _),) = ids(template, "AWS::ApiGateway::Stage", prefix).items()
    assert association["WebACLArn"] == f"<{acl}.Arn>"
    assert association["ResourceArn"].endswith(f"/stages/<{live}>")
    assert rules["Scope"] == "REGIONAL"
    limit = next(each for each in rules["Rules"] if "RateBasedStatement" in each["Statement"])
    assert limit["Action"] == {"Block": {}}
    assert limit["Statement"]["RateBasedStatement"]["Limit"] == door.firewall_requests
    assert sorted({each["Priority"] for each in rules["Rules"]}) == list(range(len(rules["Rules"])))


def test_large_bodies_are_counted_and_all_other_managed_rules_refuse(case):
    template, endpoint, _ = case
    rules = only(template, "AWS::WAFv2::WebACL", f"Endpoint{endpoint.name}")["Rules"]
    managed = {
        each["Name"]: (each["OverrideAction"], each["Statement"]["ManagedRuleGroupStatement"])
        for each in rules
        if "ManagedRuleGroupStatement" in each["Statement"]
    }
    assert {"AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet"} <= set(managed)
    for name, (override, group) in managed.items():
        assert override == {"None": {}}, name
        counted = [
            {"Name": rule, "ActionToUse": {"Count": {}}} for rule in ("SizeRestrictions_BODY", "NoUserAgent_HEADER")
        ]
        assert group.get("RuleActionOverrides") == (counted if name == "AWSManagedRulesCommonRuleSet" else None)
    assert not any(each["VisibilityConfig"]["SampledRequestsEnabled"] for each in rules), "samples hold keys"


def test_operators_are_told_where_it_is(case):
    template, endpoint, door = case
    parameter = only(template, "AWS::SSM::Parameter", f"Endpoint{endpoint.name}")
    environment = "prod" if door.auth == "jwt" else "local"
    full = endpoint.full_name(environment)
    assert parameter["Name"] == contract.front_door_parameter(environment, full)
    told = json.loads(parameter["Value"])
    assert told["auth"] == door.auth
    assert re.fullmatch(
        rf"https://<Endpoint{endpoint.name}Api\w+>\.execute-api\.\S+\.amazonaws\.com/<\w+>/", told["url"]
    )
    assert ("queue" in told) is ("dead_letters" in told) is (door.jobs is not None)
