from typing import Any

import pytest

from localcloud.errors import AwsError, NotSimulatedError

EVENT = "SageMaker Endpoint State Change"
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/rain"


def _update(world: Any, config: str, **more: Any) -> None:
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName=config, **more)


def test_create_goes_through_creating_and_starts_one_container_an_instance(world: Any, make_variant: Any) -> None:
    world.model("model-1")
    world.config("first", make_variant("blue", count=2))
    world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
    assert world.status() == "Creating"
    world.clock.advance(world.settings.create_seconds - 0.1)
    assert world.status() == "Creating"
    world.clock.advance(0.2)
    assert world.status() == "InService"
    assert [c.name.split("/")[:2] for c in world.containers.running()] == [["rain", "blue"]] * 2
    assert [d["EndpointStatus"] for d in world.events.details(EVENT)] == ["CREATING", "IN_SERVICE"]


def test_events_carry_the_live_variants_and_times_in_milliseconds(world: Any) -> None:
    world.live()
    source, _, detail, resources = world.events.events[-1]
    assert (source, resources) == ("aws.sagemaker", [ARN])
    assert detail["EndpointConfigName"] == "first"
    assert detail["ProductionVariants"][0]["CurrentWeight"] == 100.0
    assert detail["LastModifiedTime"] == int(world.describe()["LastModifiedTime"].timestamp() * 1000)


def test_creating_with_what_is_missing_or_taken_is_refused_in_the_words_of_aws(world: Any, make_variant: Any) -> None:
    with pytest.raises(AwsError, match=r'Could not find endpoint configuration "arn:aws:sagemaker:.*/nope"'):
        world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="nope")
    with pytest.raises(AwsError, match=r'Could not find model "arn:aws:sagemaker:.*:model/model-1"'):
        world.config("first", make_variant("blue"))
    world.live()
    with pytest.raises(AwsError, match=f'Cannot create already existing endpoint "{ARN}"'):
        world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
    with pytest.raises(AwsError, match="Cannot create already existing endpoint configuration"):
        world.config("first", make_variant("blue"))
    with pytest.raises(AwsError, match=r'Could not find endpoint "arn:aws:sagemaker:.*:endpoint/snow"'):
        world.describe("snow")


def test_model_data_must_exist_when_the_model_is_created(world: Any) -> None:
    with pytest.raises(AwsError, match=r"Could not find model data at s3://models/none\.tar\.gz"):
        world.call(
            "CreateModel",
            ModelName="m",
            PrimaryContainer={"Image": "image", "ModelDataUrl": "s3://models/none.tar.gz"},
        )


def test_described_configs_can_be_created_again_under_another_name(world: Any, make_variant: Any) -> None:
    world.live(make_variant("blue", weight=None, InferenceAmiVersion="al2-ami-sagemaker-inference-gpu-2"))
    described = world.call("DescribeEndpointConfig", EndpointConfigName="first")
    assert described["ProductionVariants"][0]["InitialVariantWeight"] == 1.0
    clone = {k: v for k, v in described.items() if k not in ("EndpointConfigArn", "CreationTime")}
    world.call("CreateEndpointConfig", **{**clone, "EndpointConfigName": "second"})
    again = world.call("DescribeEndpointConfig", EndpointConfigName="second")
    assert again["ProductionVariants"] == described["ProductionVariants"]


def test_models_show_their_data_under_two_names_and_take_one(world: Any) -> None:
    world.model("model-1")
    container = world.call("DescribeModel", ModelName="model-1")["PrimaryContainer"]
    assert container["ModelDataUrl"] == container["ModelDataSource"]["S3DataSource"]["S3Uri"]
    with pytest.raises(AwsError, match="cannot both"):
        world.call("CreateModel", ModelName="model-2", PrimaryContainer=container)


def test_a_model_can_take_image_and_data_from_a_package(world: Any, make_variant: Any) -> None:
    world.objects.put("s3://models/p.tar.gz", b"packaged")
    packaged = {"Image": "packaged-image", "ModelDataUrl": "s3://models/p.tar.gz", "Environment": {"A": "1", "B": "1"}}
    packages = {"rain/1": {"InferenceSpecification": {"Containers": [packaged]}}}
    world.sagemaker.model_packages = packages.__getitem__
    container = {"ModelPackageName": "rain/1", "Environment": {"B": "2"}}
    world.call("CreateModel", ModelName="model-1", PrimaryContainer=container)
    world.config("first", make_variant("blue"))
    world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
    world.clock.advance(10)
    (started,) = world.containers.running()
    assert (started.image_uri, started.model_data) == ("packaged-image", b"packaged")
    assert started.environment == {"A": "1", "B": "2"}


def test_stopping_the_service_stops_all_containers(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("second", make_variant("blue"))
    _update(world, "second")
    world.clock.advance(1)
    assert len(world.containers.running()) == 2
    world.sagemaker.stop()
    world.clock.advance(10)
    assert world.containers.running() == []


def test_every_change_is_refused_while_the_endpoint_is_busy(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("second", make_variant("blue"))
    _update(world, "second")
    weights = [{"VariantName": "blue", "DesiredWeight": 1.0}]
    for operation, request in (
        ("UpdateEndpoint", {"EndpointConfigName": "second"}),
        ("UpdateEndpointWeightsAndCapacities", {"DesiredWeightsAndCapacities": weights}),
        ("DeleteEndpoint", {}),
    ):
        with pytest.raises(AwsError, match=f'Cannot update in-progress endpoint "{ARN}"') as refusal:
            world.call(operation, EndpointName="rain", **request)
        assert refusal.value.code == "ValidationException"


def test_update_brings_up_a_whole_new_fleet_and_retires_the_old_one_only_then(world: Any, make_variant: Any) -> None:
    world.live()
    old = world.containers.running()
    world.config("second", make_variant("blue"), make_variant("green", weight=0))
    _update(world, "second")
    world.clock.advance(world.settings.update_seconds - 0.1)
    described = world.describe()
    assert described["EndpointConfigName"] == "first"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == "second"
    assert len(world.containers.running()) == 3
    world.clock.advance(0.2)
    assert world.describe()["EndpointConfigName"] == "second"
    assert "PendingDeploymentSummary" not in world.describe()
    assert all(container.stopped for container in old)
    assert len(world.containers.running()) == 2
    assert world.variant("green")["CurrentWeight"] == 0.0


def test_old_instance_answers_its_last_request_before_it_is_stopped(world: Any, make_variant: Any) -> None:
    world.live()
    (old,) = world.containers.running()
    world.config("second", make_variant("blue"))

    def slow(body: bytes, headers: Any) -> Any:
        world.clock.advance(20)  # the whole update happens while the request is answered
        assert world.describe()["EndpointConfigName"] == "second"
        assert not old.stopped
        return 200, {}, b"late"

    old.behaviour = slow
    _update(world, "second")
    assert world.call("InvokeEndpoint", EndpointName="rain", Body=b"x")["Body"] == b"late"
    world.clock.advance(1)
    assert old.stopped


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (lambda w: w.containers.unhealthy_images.add("bad"), "variant green did not pass the ping health check"),
        (lambda w: setattr(w.containers, "images", {"image"}), "make sure all images included in the model"),
        (lambda w: w.objects.objects.pop("s3://models/bad.tar.gz"), "Failed to download model data"),
        (lambda w: w.sagemaker.faults.insufficient_capacity(), "InsufficientInstanceCapacity"),
        (lambda w: w.sagemaker.faults.fail_update("because"), "because"),
    ],
)
def test_failed_update_returns_to_the_old_config_with_a_reason(
    world: Any, make_variant: Any, break_it: Any, reason: str
) -> None:
    world.live()
    (old,) = world.containers.running()
    world.model("model-2", image="bad", data="s3://models/bad.tar.gz")
    world.config("second", make_variant("blue"), make_variant("green", model="model-2"))
    break_it(world)
    _update(world, "second")
    world.clock.advance(world.settings.default_startup_timeout_seconds + 5)
    described = world.describe()
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "first"
    assert reason in described["FailureReason"]
    assert world.containers.running() == [old]
    assert world.events.details(EVENT)[-1]["EndpointStatus"] == "IN_SERVICE"


def test_faults_are_used_up_and_can_be_aimed_at_an_instance_type(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("same-type", make_variant("blue"))
    world.config("other-type", make_variant("blue", InstanceType="ml.g6.xlarge"))
    world.sagemaker.faults.insufficient_capacity(instance_type="ml.g6.xlarge")
    for config, outcome in (("same-type", "same-type"), ("other-type", "same-type"), ("other-type", "other-type")):
        _update(world, config)
        world.clock.advance(10)
        assert world.describe()["EndpointConfigName"] == outcome


def test_slow_update_takes_longer(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("second", make_variant("blue"))
    world.sagemaker.faults.slow_update(30)
    _update(world, "second")
    world.clock.advance(30)
    assert world.status() == "Updating"
    world.clock.advance(5)
    assert world.status() == "InService"


def test_create_that_fails_leaves_a_failed_endpoint_that_can_only_be_deleted(world: Any, make_variant: Any) -> None:
    world.model("model-1")
    world.config("first", make_variant("blue"))
    world.sagemaker.faults.insufficient_capacity()
    world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
    world.clock.advance(10)
    assert world.status() == "Failed"
    with pytest.raises(AwsError, match="Cannot update failed endpoint"):
        _update(world, "first")
    world.call("DeleteEndpoint", EndpointName="rain")
    world.clock.advance(5)
    with pytest.raises(AwsError, match="Could not find endpoint"):
        world.describe()


def test_delete_stops_the_containers_and_the_name_is_free_again(world: Any) -> None:
    world.live()
    world.call("DeleteEndpoint", EndpointName="rain")
    assert world.status() == "Deleting"
    world.clock.advance(5)
    assert world.containers.running() == []
    world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")


def test_deleting_the_live_config_breaks_later_updates(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("second", make_variant("blue"))
    world.call("DeleteEndpointConfig", EndpointConfigName="first")
    with pytest.raises(AwsError, match=r'Could not find endpoint configuration ".*endpoint-config/first"'):
        _update(world, "second")
    assert world.status() == "InService"


def test_what_is_not_simulated_is_refused_by_name(world: Any, make_variant: Any) -> None:
    world.live()
    with pytest.raises(NotSimulatedError, match="ServerlessConfig"):
        world.config("serverless", make_variant("blue", ServerlessConfig={"MemorySizeInMB": 1024}))
    with pytest.raises(NotSimulatedError, match="DeploymentConfig"):
        _update(world, "first", DeploymentConfig={"BlueGreenUpdatePolicy": {}})


def test_lists_filter_sort_and_page(world: Any, make_variant: Any) -> None:
    world.model("model-1")
    for number in range(3):
        world.config(f"config-{number}", make_variant("blue"))
        world.clock.advance(1)
    first = world.call("ListEndpointConfigs", MaxResults=2, NameContains="config")
    assert [c["EndpointConfigName"] for c in first["EndpointConfigs"]] == ["config-2", "config-1"]
    rest = world.call("ListEndpointConfigs", MaxResults=2, NextToken=first["NextToken"])
    assert [c["EndpointConfigName"] for c in rest["EndpointConfigs"]] == ["config-0"]
    assert "NextToken" not in rest
    ascending = world.call("ListEndpointConfigs", SortBy="Name", SortOrder="Ascending")
    assert [c["EndpointConfigName"] for c in ascending["EndpointConfigs"]] == ["config-0", "config-1", "config-2"]
    assert world.call("ListEndpoints", StatusEquals="InService") == {"Endpoints": []}


def test_tags_live_with_their_resource(world: Any) -> None:
    world.live()
    world.call("AddTags", ResourceArn=ARN, Tags=[{"Key": "team", "Value": "weather"}])
    assert world.call("ListTags", ResourceArn=ARN)["Tags"] == [{"Key": "team", "Value": "weather"}]
    world.call("DeleteTags", ResourceArn=ARN, TagKeys=["team"])
    assert world.call("ListTags", ResourceArn=ARN)["Tags"] == []
    assert world.sagemaker.owns(ARN)
    assert not world.sagemaker.owns("arn:aws:sagemaker:us-east-1:123456789012:model-package-group/rain")
