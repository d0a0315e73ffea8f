"""A front door whose parts were switched off can be destroyed."""

from dataclasses import replace

from lambdas import contract
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
