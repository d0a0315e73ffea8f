"""What the templates render is what the engine reads."""

import json
from dataclasses import replace

import pytest

from lambdas import contract
from lambdas.rollout.policy import MAX_SMOKE_BODY, Policy
from lambdas.rollout.settings import Settings
from stacks.config.lengths import PARAMETER_LIMIT, parameter_sizes


@pytest.fixture
def rendered(each):
    return each.serving.text(each.serving.one("AWS::SSM::Parameter"))


def test_engine_reads_the_parameter(each, rendered):
    endpoint = each.environment.endpoints[0]
    settings = Settings.from_json(rendered["Value"])
    assert settings.policy == endpoint.rollout
    assert settings.endpoint == endpoint.full_name(each.environment.environment)
    assert settings.fleet.instance_type == endpoint.fleet.instance_type
    assert settings.fleet.capture.destination == f"s3://{settings.artefact_bucket}/capture/{settings.endpoint}"


def test_policy_survives_the_round_trip(each, rendered):
    policy = json.loads(rendered["Value"])["policy"]
    assert Policy.from_dict(policy).to_dict() == policy == each.environment.endpoints[0].rollout.to_dict()


def test_its_size_is_known_beforehand(each, rendered):
    """So that a policy that is too long is refused before a deploy is under way."""
    actual = len(rendered["Value"].encode())
    (estimated,) = [size for _, size in parameter_sizes(each.environment)]
    assert actual <= estimated < actual + 200


def test_parameter_lies_where_the_engine_looks_and_fits(each, rendered):
    name = each.environment.endpoints[0].full_name(each.environment.environment)
    assert rendered["Name"] == contract.endpoint_parameter(each.environment.environment, name)
    assert rendered["Tier"] == "Intelligent-Tiering", "a standard parameter holds 4,096 bytes"


def test_the_longest_smoke_test_fits_into_the_parameter(synthesise_changed):
    def wordy(environment):
        (rain,) = environment.endpoints
        smoke = replace(rain.rollout.smoke_test, body="1,2\n" * (MAX_SMOKE_BODY // 4))
        return replace(environment, endpoints=(replace(rain, rollout=replace(rain.rollout, smoke_test=smoke)),))

    template = synthesise_changed("prod", wordy).serving
    assert len(template.text(template.one("AWS::SSM::Parameter"))["Value"]) <= PARAMETER_LIMIT


def test_fleet_resource_hands_over_the_fleet_of_the_parameter(each, rendered):
    fleet = each.serving.text(each.serving.one("Custom::Fleet"))
    assert json.loads(fleet["Fleet"]) == json.loads(rendered["Value"])["fleet"]
    assert fleet["EndpointName"] == json.loads(rendered["Value"])["endpoint"]


def test_serving_image_and_its_repository_agree(rendered):
    settings = json.loads(rendered["Value"])
    repository, _, tag = settings["fleet"]["image"].rpartition(":")
    assert repository in settings["image_repositories"]
    assert len(tag) == 64


def test_artefact_bucket_is_the_one_that_the_registry_makes(each, rendered):
    names = [bucket["Properties"].get("BucketName") for bucket in each.registry.of_type("AWS::S3::Bucket").values()]
    assert json.loads(rendered["Value"])["artefact_bucket"] in each.registry.text(names)
