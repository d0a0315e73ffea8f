"""A front door's switches: which of them have a part behind them; and that it can be destroyed when one is off."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from stacks.config.caching import Caching
from stacks.config.callers import Client, SegmentRule, Tokens
from stacks.config.front_door import FrontDoor
from stacks.config.job_queue import JobQueue
from stacks.constructs.front_door.switches import configured_in
from tests.infra.front_doors import ids, listed, may

EMPTYING = "EmptySwitches"


def only(template, kind):
    ((name, _),) = ids(template, f"AWS::AppConfig::{kind}").items()
    return name


def test_versions_of_operators_go_before_the_profile_and_cloudformations_own_is_left_to_it(local):
    template = local.inference
    kinds = ("Application", "ConfigurationProfile", "HostedConfigurationVersion")
    application, profile, own = (only(template, kind) for kind in kinds)
    ((_, emptied),) = template.of_type(contract.EMPTY_RESOURCE_TYPE).items()
    assert emptied["Properties"]["ConfigurationProfiles"] == [
        {"ApplicationId": {"Ref": application}, "ProfileId": {"Ref": profile}, "KeptVersion": {"Ref": own}}
    ]
    assert emptied["DeletionPolicy"] == "Delete"
    (policy,) = ids(template, "AWS::IAM::Policy", EMPTYING)
    assert policy in emptied["DependsOn"], "who deletes them must still be allowed to"


def test_it_may_delete_versions_of_that_profile_and_nothing_else(local):
    template = local.inference
    application, profile = (only(template, kind) for kind in ("Application", "ConfigurationProfile"))
    arn = f"arn:aws:appconfig:us-east-1:123456789012:application/<{application}>"
    own = f"{arn}/configurationprofile/<{profile}>"
    found = may(template, f"{EMPTYING}Role")
    allowed = {
        name: (each["Action"], sorted(listed(each["Resource"]))) for name, each in found.items() if name != "WriteLog"
    }
    assert allowed == {
        "DescribeOwnStack": ("cloudformation:DescribeStacks", ["<AWS::StackId>"]),
        "ListVersions": ("appconfig:ListHostedConfigurationVersions", sorted([arn, own])),
        "DeleteVersions": (
            "appconfig:DeleteHostedConfigurationVersion",
            sorted([arn, own, f"{own}/hostedconfigurationversion/*"]),
        ),
    }


def without_switches(environment):
    (rain,) = environment.endpoints
    return replace(environment, endpoints=(replace(rain, front_door=replace(rain.front_door, switches=False)),))


def test_without_switches_there_is_nothing_to_delete(synthesise_changed):
    template = synthesise_changed("local", without_switches).inference
    assert not template.of_type(contract.EMPTY_RESOURCE_TYPE)
    assert not ids(template, "AWS::Lambda::Function", EMPTYING)


PLAIN = FrontDoor(auth="api_key", clients=(Client("shop"),), switches=True)


@pytest.mark.parametrize(
    ("has", "configured"),
    [
        ({}, ()),
        ({"cache": Caching(60)}, ("cache",)),
        ({"jobs": JobQueue()}, ("jobs",)),
        ({"sticky": True}, ("routing",)),
        ({"segments": (SegmentRule("client", ("shop",), "live"),)}, ("routing",)),
        ({"clients": (Client("shop"), Client("lab", tester=True))}, ("routing",)),
        ({"auth": "jwt", "tokens": Tokens("https://issuer.example.com", "rain")}, ("routing",)),
    ],
)
def test_a_flag_has_something_behind_it_where_its_part_is_configured(has, configured):
    assert configured_in(replace(PLAIN, **has)) == ["front-door", *configured]


def test_operators_are_told_which_flags_those_are_and_all_flags_are_deployed(local):
    template = local.inference
    told = [each["Value"] for each in template.text(ids(template, "AWS::SSM::Parameter")).values()]
    (described,) = [json.loads(text) for text in told if "switches" in text]
    assert described["switches"]["configured"] == ["front-door", "routing", "jobs"]
    (first,) = ids(template, "AWS::AppConfig::HostedConfigurationVersion").values()
    assert set(json.loads(first["Content"])["values"]) == {"front-door", "cache", "routing", "jobs"}
