"""A changed fleet is a rollout of the live model; bounds and targets are kept as a level."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import LeaseHeldError, PermanentError
from lambdas.rollout.fleet import Fleet, FleetError, Scaling, repository
from lambdas.rollout.fleets import Fleets
from lambdas.rollout.state import Phase


def test_new_endpoint_starts_nothing_and_is_put_under_autoscaling(world: Any, fleet: Fleet) -> None:
    world.pass_time(120)
    assert world.outcomes == []
    assert ("blue", Scaling(1, 4, 600.0)) in world.sagemaker.named("keep_scaling")


def test_changed_instance_type_rolls_the_live_model_onto_the_new_fleet(world: Any, fleet: Fleet) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.declare(replace(fleet, instance_type="ml.g6.xlarge", image=fleet.image.replace(":1", ":2")))
    state = world.until_over()
    assert world.outcomes[-1] == ("1.1.0", "PROMOTED")
    assert state.live.slot == "blue"
    assert state.live.package_arn is not None
    mixed = list(world.sagemaker.mixed.values())[-1]
    assert mixed.fleet.instance_type == "ml.g6.xlarge"
    model = world.sagemaker.models[mixed.model]
    assert model.container is None
    assert model.image == fleet.image.replace(":1", ":2")


def test_fleet_change_during_a_rollout_waits_for_its_end(world: Any, fleet: Fleet) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    state = world.until_over()
    kinds = [world.store.summaries[each]["kind"] for each in sorted(world.store.summaries)]
    assert kinds == ["model", "fleet"]
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.1.0", "PROMOTED")]
    assert state.live.fleet.instance_type == "ml.g6.xlarge"


def test_fleet_set_back_during_its_rollout_aborts_it(world: Any, fleet: Fleet) -> None:
    world.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    world.until_phase(Phase.BAKE)
    world.declare(fleet)
    state = world.until_over()
    assert world.outcomes == [("bootstrap", "ROLLED_BACK")]
    assert world.endpoint.config == state.seed_config


def test_fleet_that_failed_is_not_tried_again_until_declared_anew(world: Any, fleet: Fleet) -> None:
    bigger = replace(fleet, instance_type="ml.g6.48xlarge")
    world.endpoint.failures = ["insufficient capacity"] * 3
    world.declare(bigger)
    world.until_over()
    world.pass_time(600)
    assert world.outcomes == [("bootstrap", "ROLLED_BACK")]
    world.approve("1.1.0")
    world.until_over()
    assert world.outcomes == [("bootstrap", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]
    world.pass_time(600)
    assert len(world.outcomes) == 2
    world.declare(bigger)
    world.until_over()
    assert world.outcomes[-1] == ("1.1.0", "PROMOTED")
    assert world.store.state.live.fleet.instance_type == "ml.g6.48xlarge"


def test_bounds_and_target_change_without_a_rollout(world: Any, fleet: Fleet) -> None:
    world.pass_time(60)
    world.declare(replace(fleet, max_instances=8, target_invocations_per_instance=900))
    world.pass_time(60)
    assert world.outcomes == []
    assert world.sagemaker.named("keep_scaling")[-1] == ("blue", Scaling(1, 8, 900.0))


def test_more_instances_than_run_are_set_at_once(world: Any, fleet: Fleet) -> None:
    world.pass_time(60)
    world.declare(replace(fleet, min_instances=2))
    world.pass_time(120)
    assert world.endpoint.variants["blue"].count == 2
    assert world.sagemaker.scaled == {"blue"}


def test_fixed_number_of_instances_has_no_scalable_target(world: Any, fleet: Fleet) -> None:
    world.pass_time(60)
    assert world.sagemaker.scaled == {"blue"}
    world.declare(replace(fleet, min_instances=2, max_instances=2))
    world.pass_time(120)
    assert world.sagemaker.scaled == set()
    assert world.endpoint.variants["blue"].count == 2


def test_autoscaling_is_off_during_a_rollout_and_follows_the_live_slot(world: Any) -> None:
    world.pass_time(60)
    world.approve()
    world.until_phase(Phase.PREPARE)
    for phase in (Phase.BAKE, Phase.SOAK, Phase.FINALIZE):
        world.until_phase(phase)
        assert world.sagemaker.scaled == set()
    world.until_over()
    world.pass_time(1)
    assert world.sagemaker.scaled == {"green"}


def test_autoscaling_that_somebody_removed_comes_back(world: Any) -> None:
    world.pass_time(60)
    world.sagemaker.scaled.clear()
    world.pass_time(61)
    assert world.sagemaker.scaled == {"blue"}


def test_configs_of_live_and_previous_version_stay_and_older_ones_go(world: Any) -> None:
    for version in ("1.1.0", "1.2.0", "1.3.0"):
        world.approve(version)
        world.until_over()
    state = world.store.state
    world.pass_time(120)
    assert set(world.sagemaker.configs) == {state.live.config, state.previous_config, state.seed_config}
    assert len(world.sagemaker.models) == 2


def test_what_cannot_be_deleted_does_not_keep_autoscaling_off(world: Any) -> None:
    world.sagemaker.refusals = {
        "delete_config": [PermanentError("AccessDeniedException: sagemaker:DeleteEndpointConfig")]
    }
    world.approve()
    world.until_over()
    world.pass_time(1)
    assert world.sagemaker.scaled == {"green"}


def test_config_put_live_by_hand_is_taken_for_granted(world: Any) -> None:
    world.sagemaker.configs["by-hand"] = {"green": 2}
    world.endpoint.config = "by-hand"
    world.endpoint.variants = {"green": world.endpoint.variants["blue"]}
    world.pass_time(120)
    state = world.store.state
    assert (state.live.config, state.live.slot) == ("by-hand", "green")
    world.approve("1.1.0")
    assert world.until_over().live.slot == "blue"
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_retired_endpoint_is_left_alone(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.pass_time(1)
    Fleets(world.ports).retire("rain-local", "cloudformation")
    calls = len(world.sagemaker.calls)
    world.pass_time(600)
    assert len(world.sagemaker.calls) == calls
    assert world.outcomes == [("1.1.0", "ABANDONED")]
    assert world.store.active() == world.store.idle() == []


def test_endpoint_is_not_retired_under_a_working_worker(world: Any) -> None:
    world.store.save(replace(world.store.state, lease_owner="worker", lease_until=world.clock.now() + 30), now=0)
    with pytest.raises(LeaseHeldError):
        Fleets(world.ports).retire("rain-local", "cloudformation")
    world.clock.time += 31
    Fleets(world.ports).retire("rain-local", "cloudformation")
    assert world.store.state.retired


def test_endpoint_created_again_under_its_name_starts_afresh(world: Any, fleet: Fleet) -> None:
    Fleets(world.ports).retire("rain-local", "cloudformation")
    other = replace(fleet, instance_type="ml.g6.xlarge")
    world.declare(other)
    state = world.store.state
    assert not state.retired
    assert state.live.fleet == state.desired_fleet == other


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("1.dkr.ecr.us-east-1.amazonaws.com/a/b:tag", "1.dkr.ecr.us-east-1.amazonaws.com/a/b"),
        ("1.dkr.ecr.us-east-1.amazonaws.com/a@sha256:0f", "1.dkr.ecr.us-east-1.amazonaws.com/a"),
        ("localhost:5000/a", "localhost:5000/a"),
        ("a", "a"),
    ],
)
def test_repository_is_an_image_without_tag_and_digest(image: str, expected: str) -> None:
    assert repository(image) == expected


def test_model_with_a_container_of_its_own_keeps_it_across_fleet_changes(world: Any, fleet: Fleet) -> None:
    own = {"Image": "elsewhere/own:7", "ModelDataUrl": "s3://artefacts/m.tar.gz"}
    world.approve("1.1.0", containers=[own])
    world.until_over()
    world.declare(replace(fleet, image=fleet.image.replace(":1", ":2")))
    world.pass_time(120)
    assert len(world.outcomes) == 1
    world.declare(replace(fleet, image=fleet.image.replace(":1", ":2"), instance_type="ml.g6.xlarge"))
    world.until_over()
    assert {model.image for model in world.sagemaker.models.values()} == {"elsewhere/own:7"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"min_instances": 5}, "min_instances"),
        ({"colour": "red"}, "fleet.colour is unknown"),
        ({"capture": {"enabled": True}}, "fleet.capture.destination is required"),
    ],
)
def test_fleet_that_cannot_be_is_refused_by_name(fleet: Fleet, change: dict[str, Any], said: str) -> None:
    with pytest.raises(FleetError, match=said):
        Fleet.from_dict({**fleet.to_dict(), **change})


def test_fleet_survives_being_written_down(fleet: Fleet) -> None:
    assert Fleet.from_dict(fleet.to_dict()) == fleet


def test_nothing_is_deleted_while_somebody_elses_config_may_use_it(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.sagemaker.configs["by-hand"] = {"green": 1}
    world.endpoint.config = "by-hand"
    world.approve("1.2.0")
    world.until_over()
    world.pass_time(120)
    assert world.store.state.previous_config == "by-hand"
    assert len(world.sagemaker.models) == 2


def test_a_container_that_is_to_capture_is_rolled_out_like_any_change_of_the_fleet(world: Any, fleet: Fleet) -> None:
    variables = {"TIDEGATE_CAPTURE_SAMPLING_PERCENT": "10"}
    world.declare(replace(fleet, capture=replace(fleet.capture, enabled=False, variables=variables)))
    world.until_over()
    made = list(world.sagemaker.models.values())[-1]
    assert made.variables == {**variables, "TIDEGATE_CAPTURE_VARIANT": world.store.state.live.slot}
    world.declare(fleet)
    world.until_over()
    assert list(world.sagemaker.models.values())[-1].variables == {}


def test_fleet_of_before_containers_captured_is_still_read(fleet: Fleet) -> None:
    data = fleet.to_dict()
    del data["capture"]["variables"]
    assert Fleet.from_dict(data) == fleet
