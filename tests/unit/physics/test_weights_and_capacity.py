from typing import Any

import pytest

from localcloud.errors import AwsError


def _two_variants(world: Any, make_variant: Any, **more: Any) -> None:
    world.live(make_variant("blue", weight=100), make_variant("green", weight=0), **more)


def _change(world: Any, *items: dict[str, Any]) -> None:
    world.call("UpdateEndpointWeightsAndCapacities", EndpointName="rain", DesiredWeightsAndCapacities=list(items))


def _update(world: Any, config: str, **more: Any) -> None:
    world.call("UpdateEndpoint", EndpointName="rain", EndpointConfigName=config, **more)
    world.clock.advance(10)
    assert world.status() == "InService"


def test_weights_take_effect_at_the_end_and_counts_stay_as_they_are(world: Any, make_variant: Any) -> None:
    _two_variants(world, make_variant)
    _change(world, {"VariantName": "blue", "DesiredWeight": 90.0}, {"VariantName": "green", "DesiredWeight": 10.0})
    assert world.status() == "Updating"
    assert (world.variant("green")["CurrentWeight"], world.variant("green")["DesiredWeight"]) == (0.0, 10.0)
    world.clock.advance(world.settings.weights_seconds)
    assert world.status() == "InService"
    assert (world.variant("green")["CurrentWeight"], world.variant("green")["DesiredWeight"]) == (10.0, 10.0)
    assert world.variant("blue")["CurrentInstanceCount"] == 1


def test_an_explicit_initial_weight_of_zero_is_zero_and_a_missing_one_is_one(world: Any, make_variant: Any) -> None:
    world.live(make_variant("blue", weight=None), make_variant("green", weight=0))
    assert (world.variant("blue")["CurrentWeight"], world.variant("green")["CurrentWeight"]) == (1.0, 0.0)


def test_more_capacity_starts_containers_and_less_stops_them(world: Any) -> None:
    world.live()
    _change(world, {"VariantName": "blue", "DesiredInstanceCount": 3})
    assert (world.variant("blue")["CurrentInstanceCount"], world.variant("blue")["DesiredInstanceCount"]) == (1, 3)
    world.clock.advance(5)
    assert world.variant("blue")["CurrentInstanceCount"] == 3
    assert len(world.containers.running()) == 3
    _change(world, {"VariantName": "blue", "DesiredInstanceCount": 1})
    world.clock.advance(5)
    assert len(world.containers.running()) == 1
    assert world.variant("blue")["CurrentWeight"] == 100.0


def test_capacity_that_cannot_be_had_leaves_the_count_as_it_was(world: Any) -> None:
    world.live()
    world.sagemaker.faults.insufficient_capacity()
    _change(world, {"VariantName": "blue", "DesiredInstanceCount": 2})
    world.clock.advance(5)
    assert "InsufficientInstanceCapacity" in world.describe()["FailureReason"]
    assert world.variant("blue")["DesiredInstanceCount"] == 1


def test_a_call_about_an_unknown_variant_or_two_capacities_changes_nothing(world: Any, make_variant: Any) -> None:
    _two_variants(world, make_variant)
    with pytest.raises(AwsError, match='"red" is/are not present'):
        _change(world, {"VariantName": "blue", "DesiredWeight": 1.0}, {"VariantName": "red", "DesiredWeight": 1.0})
    with pytest.raises(AwsError, match="at most one variant"):
        _change(
            world,
            {"VariantName": "blue", "DesiredInstanceCount": 2},
            {"VariantName": "green", "DesiredInstanceCount": 2},
        )
    assert world.status() == "InService"
    assert world.variant("blue")["DesiredWeight"] == 100.0


def test_update_without_retention_resets_weights_and_counts(world: Any, make_variant: Any) -> None:
    _two_variants(world, make_variant)
    _change(world, {"VariantName": "blue", "DesiredWeight": 50.0, "DesiredInstanceCount": 2})
    world.clock.advance(5)
    world.config("second", make_variant("blue", weight=7))
    _update(world, "second")
    assert (world.variant("blue")["CurrentWeight"], world.variant("blue")["CurrentInstanceCount"]) == (7.0, 1)


def test_retention_keeps_what_is_live_and_a_new_variant_takes_its_initial_values(world: Any, make_variant: Any) -> None:
    world.live()
    _change(world, {"VariantName": "blue", "DesiredWeight": 60.0, "DesiredInstanceCount": 2})
    world.clock.advance(5)
    world.config("second", make_variant("blue", weight=100, count=1), make_variant("green", weight=0, count=3))
    _update(world, "second", RetainAllVariantProperties=True)
    assert (world.variant("blue")["CurrentWeight"], world.variant("blue")["CurrentInstanceCount"]) == (60.0, 2)
    assert (world.variant("green")["CurrentWeight"], world.variant("green")["CurrentInstanceCount"]) == (0.0, 3)


def test_data_capture_is_retained_unless_excluded(world: Any, make_variant: Any) -> None:
    def capture(percent: int) -> dict[str, Any]:
        return {
            "InitialSamplingPercentage": percent,
            "DestinationS3Uri": "s3://data/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        }

    world.live(DataCaptureConfig=capture(100))
    world.config("second", make_variant("blue"), DataCaptureConfig=capture(5))
    _update(world, "second", RetainAllVariantProperties=True)
    assert world.describe()["DataCaptureConfig"]["CurrentSamplingPercentage"] == 100
    excluded = [{"VariantPropertyType": "DataCaptureConfig"}]
    _update(world, "second", RetainAllVariantProperties=True, ExcludeRetainedVariantProperties=excluded)
    assert world.describe()["DataCaptureConfig"]["CurrentSamplingPercentage"] == 5
