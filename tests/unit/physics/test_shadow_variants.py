"""Shadow variants: a copy of the traffic, and nothing that a client could notice."""

import json
import random
import threading
from typing import Any

import pytest

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.physics.mirroring import MirrorThreads
from localcloud.physics.ports import ContainerTimeoutError
from localcloud.physics.runtime import RuntimeService


def _shadowed(world: Any, make_variant: Any, share: float = 100, **more: Any) -> None:
    """Bring up `rain` with the production variant blue, of weight 100, and the shadow green."""
    world.live(make_variant("blue"), ShadowProductionVariants=[make_variant("green", weight=share)], **more)


def _invoke(world: Any, times: int = 1, **more: Any) -> list[str]:
    request = {"EndpointName": "rain", "Body": b"1,2", "ContentType": "text/csv", **more}
    answers = [world.call("InvokeEndpoint", **request)["InvokedProductionVariant"] for _ in range(times)]
    world.clock.advance(0)
    return answers


def _metric(world: Any, variant: str, metric: str, stat: str = "Sum") -> float | None:
    answer = world.call(
        "GetMetricStatistics",
        Namespace="AWS/SageMaker",
        MetricName=metric,
        Dimensions=[{"Name": "EndpointName", "Value": "rain"}, {"Name": "VariantName", "Value": variant}],
        StartTime=world.clock.now() - 600,
        EndTime=world.clock.now() + 60,
        Period=1200,
        Statistics=[stat],
    )
    return answer["Datapoints"][0][stat] if answer["Datapoints"] else None


def _behave(world: Any, variant: str, behaviour: Any) -> None:
    for container in world.containers.running():
        if f"/{variant}/" in container.name:
            container.behaviour = behaviour


def _shadow(world: Any) -> dict[str, Any]:
    (described,) = world.describe()["ShadowProductionVariants"]
    return dict(described)


def _update(world: Any, config: str, **more: Any) -> None:
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName=config, **more)
    world.clock.advance(10)
    assert world.status() == "InService"


def _weigh(world: Any, **weights: float) -> None:
    wanted = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    world.call("UpdateEndpointWeightsAndCapacities", EndpointName="rain", DesiredWeightsAndCapacities=wanted)
    world.clock.advance(5)


@pytest.mark.parametrize(("production", "shadows"), [(["blue", "red"], ["green"]), (["blue"], ["green", "red"])])
def test_there_is_one_shadow_of_one_production_variant(
    world: Any, make_variant: Any, production: list[str], shadows: list[str]
) -> None:
    world.model("model-1")
    with pytest.raises(AwsError, match="exactly one production and one shadow variant") as refusal:
        world.config("c", *map(make_variant, production), ShadowProductionVariants=[*map(make_variant, shadows)])
    assert refusal.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("shadow", "message"),
    [
        ({"name": "blue"}, 'names must be unique; "blue"'),
        ({"name": "green", "model": "absent"}, "Could not find model"),
        ({"name": "green", "count": 0}, 'Variant "green" needs InitialInstanceCount'),
    ],
)
def test_a_shadow_is_checked_like_any_variant(
    world: Any, make_variant: Any, shadow: dict[str, Any], message: str
) -> None:
    world.model("model-1")
    with pytest.raises(AwsError, match=message):
        world.config("c", make_variant("blue"), ShadowProductionVariants=[make_variant(**shadow)])
    serverless = make_variant("green", ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1})
    with pytest.raises(NotSimulatedError, match=r"ShadowProductionVariants\.ServerlessConfig"):
        world.config("c", make_variant("blue"), ShadowProductionVariants=[serverless])


def test_descriptions_show_the_shadow_apart(world: Any, make_variant: Any) -> None:
    world.model("model-1")
    world.config("first", make_variant("blue"), ShadowProductionVariants=[make_variant("green", weight=None, count=2)])
    config = world.call("DescribeEndpointConfig", EndpointConfigName="first")
    assert [v["VariantName"] for v in config["ProductionVariants"]] == ["blue"]
    assert config["ShadowProductionVariants"] == [make_variant("green", weight=1.0, count=2)]
    world.call("CreateEndpoint", EndpointName="rain", EndpointConfigName="first")
    pending = world.describe()["PendingDeploymentSummary"]
    assert [v["VariantName"] for v in pending["ProductionVariants"]] == ["blue"]
    assert [v["VariantName"] for v in pending["ShadowProductionVariants"]] == ["green"]
    world.clock.advance(10)
    assert [v["VariantName"] for v in world.describe()["ProductionVariants"]] == ["blue"]
    assert (_shadow(world)["CurrentWeight"], _shadow(world)["CurrentInstanceCount"]) == (1.0, 2)


@pytest.mark.parametrize(("share", "least", "most"), [(0, 0, 0), (50, 460, 540), (100, 1000, 1000), (250, 1000, 1000)])
def test_the_shadow_gets_the_share_that_its_weight_is_of_the_production_variants(
    world: Any, make_variant: Any, share: float, least: int, most: int
) -> None:
    _shadowed(world, make_variant, share)
    assert set(_invoke(world, 1000)) == {"blue"}
    assert least <= (_metric(world, "green", "Invocations") or 0) <= most
    assert _metric(world, "blue", "Invocations") == 1000


def test_the_same_chances_mirror_the_same_requests(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant, 30)
    counts = []
    for _ in range(2):
        world.runtime = RuntimeService(world.sagemaker, world.clock, world.metrics, chance=random.Random(7))
        before = _metric(world, "green", "Invocations") or 0
        _invoke(world, 100)
        counts.append((_metric(world, "green", "Invocations") or 0) - before)
    assert counts[0] == counts[1] > 0


def test_the_shadow_is_asked_after_the_client_has_its_answer(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant)
    seen = []
    _behave(world, "green", lambda body, headers: seen.append((body, headers["Content-Type"])) or (200, {}, b"other"))
    answer = world.call("InvokeEndpoint", EndpointName="rain", Body=b"1,2", ContentType="text/csv")
    assert (answer["Body"], seen) == (b"1,2", [])
    world.clock.advance(0)
    assert seen == [(b"1,2", "text/csv")]


def _slow(world: Any) -> Any:
    def behaviour(body: bytes, headers: Any) -> Any:
        world.clock.advance(2.5)
        raise ContainerTimeoutError("late")

    return behaviour


def test_a_shadow_that_fails_is_seen_in_its_own_metrics_only(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant)
    _behave(world, "green", lambda body, headers: (500, {}, b"broken"))
    _invoke(world, 3)
    _behave(world, "green", _slow(world))
    before = world.clock.now()
    _invoke(world)
    for container in world.containers.running():
        container.alive = "/blue/" in container.name
    _invoke(world)
    assert world.clock.now() == before + 2.5
    assert (_metric(world, "green", "Invocations"), _metric(world, "green", "Invocation5XXErrors")) == (5, 5)
    assert _metric(world, "green", "ModelLatency", "Maximum") == pytest.approx(2_500_000)
    assert (_metric(world, "blue", "Invocations"), _metric(world, "blue", "Invocation5XXErrors")) == (5, 0)


def test_what_the_production_variant_fails_at_is_mirrored_all_the_same(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant)
    _behave(world, "blue", lambda body, headers: (500, {}, b"broken"))
    with pytest.raises(AwsError):
        _invoke(world)
    world.clock.advance(0)
    assert (_metric(world, "green", "Invocations"), _metric(world, "green", "Invocation5XXErrors")) == (1, 0)


def test_a_shadow_cannot_be_targeted(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant)
    with pytest.raises(AwsError, match="Variant green not found"):
        _invoke(world, TargetVariant="green")
    assert _invoke(world, TargetVariant="blue") == ["blue"]
    assert _metric(world, "green", "Invocations") == 1


def test_captured_data_of_the_shadow_lies_under_its_own_name(world: Any, make_variant: Any) -> None:
    """The guide says so: "Data Capture to log requests and responses of your production and shadow variants"."""
    capture = {
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": "s3://data/capture",
        "CaptureOptions": [{"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }
    _shadowed(world, make_variant, DataCaptureConfig=capture)
    _behave(world, "green", lambda body, headers: (200, {"content-type": "text/csv"}, b"0"))
    _invoke(world)
    world.sagemaker.stop()
    found = {
        uri.split("/")[5]: json.loads(body)["captureData"]["endpointOutput"]["data"]
        for uri, body in world.objects.objects.items()
        if uri.startswith("s3://data/")
    }
    assert found == {"blue": "1,2", "green": "0"}


def test_updates_lead_to_a_shadow_and_away_from_it_with_a_new_fleet_each(world: Any, make_variant: Any) -> None:
    world.live()
    _weigh(world, blue=60)
    first = world.containers.running()
    world.config("shadowed", make_variant("blue"), ShadowProductionVariants=[make_variant("green", weight=30)])
    _update(world, "shadowed", RetainAllVariantProperties=True)
    assert all(container.stopped for container in first)
    assert (world.variant("blue")["CurrentWeight"], _shadow(world)["CurrentWeight"]) == (60.0, 30.0)
    _invoke(world, 400)
    assert 160 < (_metric(world, "green", "Invocations") or 0) < 240
    _update(world, "first", RetainAllVariantProperties=True)
    assert "ShadowProductionVariants" not in world.describe()
    assert world.variant("blue")["CurrentWeight"] == 60.0
    assert ["/blue/" in container.name for container in world.containers.running()] == [True]
    before = _metric(world, "green", "Invocations")
    _invoke(world, 10)
    assert _metric(world, "green", "Invocations") == before


def test_a_shadow_that_becomes_a_production_variant_keeps_what_is_retained(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant, 50)
    world.config("second", make_variant("blue"), make_variant("green", weight=0))
    _update(world, "second", RetainAllVariantProperties=True)
    assert world.variant("green")["CurrentWeight"] == 50.0
    _update(world, "second")
    assert world.variant("green")["CurrentWeight"] == 0.0


def test_a_failed_update_leaves_the_endpoint_without_a_shadow(world: Any, make_variant: Any) -> None:
    world.live()
    world.config("shadowed", make_variant("blue"), ShadowProductionVariants=[make_variant("green")])
    world.sagemaker.faults.insufficient_capacity()
    _update(world, "shadowed")
    assert "InsufficientInstanceCapacity" in world.describe()["FailureReason"]
    assert "ShadowProductionVariants" not in world.describe()
    assert len(world.containers.running()) == 1


def test_weights_and_counts_of_a_shadow_can_be_changed(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant, 0)
    _weigh(world, green=100)
    assert _shadow(world)["CurrentWeight"] == 100.0
    _invoke(world, 5)
    assert _metric(world, "green", "Invocations") == 5
    count = [{"VariantName": "green", "DesiredInstanceCount": 2}]
    world.call("UpdateEndpointWeightsAndCapacities", EndpointName="rain", DesiredWeightsAndCapacities=count)
    world.clock.advance(5)
    assert _shadow(world)["CurrentInstanceCount"] == 2
    world.call("DeleteEndpoint", EndpointName="rain")
    world.clock.advance(5)
    assert world.containers.running() == []


def test_a_shadow_is_no_scalable_target(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant)
    with pytest.raises(AwsError, match="No endpoint variant found"):
        world.call(
            "RegisterScalableTarget",
            ServiceNamespace="sagemaker",
            ResourceId="endpoint/rain/variant/green",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=2,
        )


def test_copies_that_threads_have_no_room_for_count_as_errors_and_delay_nobody(world: Any, make_variant: Any) -> None:
    _shadowed(world, make_variant)
    begun, go = threading.Event(), threading.Event()

    def hanging(body: bytes, headers: Any) -> Any:
        begun.set()
        assert go.wait(5)
        return 200, {}, b""

    _behave(world, "green", hanging)
    threads = MirrorThreads(most=1)
    world.runtime = RuntimeService(world.sagemaker, world.clock, world.metrics, aside=threads.submit)
    _invoke(world)
    assert begun.wait(5)
    _invoke(world, 2)
    assert (_metric(world, "green", "Invocations"), _metric(world, "green", "Invocation5XXErrors")) == (2, 2)
    go.set()
    threads.close()
    threads._threads.shutdown(wait=True)
    assert _invoke(world) == ["blue"]
    assert (_metric(world, "green", "Invocations"), _metric(world, "green", "Invocation5XXErrors")) == (3, 2)
