"""The test notifications of asynchronous endpoints: after each call that may have given them other topics or counts."""

import logging

import pytest

from localcloud.errors import AwsError
from localcloud.physics.ports import AccessError
from tests.localcloud.async_world import AsyncWorld

BOTH = ["error", "success"]


def test_the_topics_are_tested_as_the_endpoint_is_created():
    world = AsyncWorld()
    assert world.tested() == BOTH
    assert world.account.messages == []


def test_they_are_tested_as_it_is_updated_and_scaled():
    world = AsyncWorld()
    world.tested()
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName="first")
    world.clock.advance(0.1)
    assert world.tested() == BOTH
    world.clock.advance(60)
    world.scale(2)
    assert world.tested() == BOTH


def test_they_are_tested_as_it_scales_by_itself():
    world = AsyncWorld()
    world.register()
    world.track(5.0)
    world.tested()
    world.clock.advance(16 * 60)
    assert world.instances() == (0, 0)
    assert world.tested() == BOTH


def test_a_call_that_is_refused_tests_nothing():
    world = AsyncWorld()
    world.tested()
    with pytest.raises(AwsError):
        world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName="second")
    world.clock.advance(60)
    assert world.tested() == []


def test_real_time_endpoints_have_no_topics():
    world = AsyncWorld(asynchronous=False)
    world.scale(2)
    assert world.account.messages == []


def test_one_topic_for_everything_is_tested_once():
    world = AsyncWorld()
    world.tested()
    topics = {"SuccessTopic": "both", "ErrorTopic": "both"}
    variant = {"VariantName": "blue", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    output = {"S3OutputPath": "s3://out", "NotificationConfig": topics}
    asynchronous = {"OutputConfig": output}
    world.call(
        "CreateEndpointConfig",
        EndpointConfigName="second",
        ProductionVariants=[variant],
        AsyncInferenceConfig=asynchronous,
    )
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName="second")
    world.clock.advance(0.1)
    assert world.tested() == ["both"]


def test_a_role_that_may_not_publish_is_seen_in_the_log(caplog):
    world = AsyncWorld()

    def refuse(_role, topic, _message):
        raise AccessError(f"AccessDenied: {topic}")

    world.account.publish = refuse
    with caplog.at_level(logging.WARNING):
        world.scale(2)
    assert "no test notification to error: AccessDenied: error" in caplog.text
    assert world.instances() == (2, 2)
