"""When a rollout starts, and with which plan."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.rollout.decision import Turn
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.observation import EndpointView, Observation
from lambdas.rollout.policy import Shadow, Window
from lambdas.rollout.start import last_failed, start_next
from lambdas.rollout.state import Phase, Rollout, Source

FRIDAY_NIGHT = datetime(2027, 1, 15, 22, 0, tzinfo=UTC).timestamp()
WORKDAYS = Window(("mon", "tue", "wed", "thu", "fri"), "09:00", "17:00")


def started(world: Any, **policy: Any) -> Rollout:
    """Return the rollout with which the state of the world would go on, under a changed policy."""
    settings = world.settings.load("rain-local")
    settings = replace(settings, policy=replace(settings.policy, **policy))
    view = EndpointView("InService", world.endpoint.config, world.endpoint.variants)
    decision = start_next(Turn(world.store.state, Observation(view, settings=settings), world.clock.now()))
    assert decision is not None
    assert decision.state.rollout is not None
    return decision.state.rollout


def queue(world: Any) -> None:
    """Have a version wait that nothing has looked at yet."""
    world.approve("1.1.0")
    assert world.store.state.queued is not None


def test_rollout_with_a_shadow_starts_there_and_records_its_config(world: Any) -> None:
    queue(world)
    rollout = started(world, strategy="shadow", then="canary", shadow=Shadow(60))
    assert rollout.phase is Phase.SHADOW
    assert rollout.shadow_config == f"rain-local-{rollout.id}-shadow"


def test_rollout_without_a_shadow_starts_with_its_preparation(world: Any) -> None:
    queue(world)
    rollout = started(world)
    assert (rollout.phase, rollout.shadow_config) == (Phase.PREPARE, "")
    assert rollout.progress_at == rollout.started_at == world.clock.now()


@pytest.mark.parametrize("shadow", [None, Shadow(60)])
def test_every_config_and_model_of_a_rollout_is_recorded_before_it_is_made(world: Any, shadow: Shadow | None) -> None:
    world.settings.policy = replace(
        world.settings.policy, **({"strategy": "shadow", "then": "canary", "shadow": shadow} if shadow else {})
    )
    world.approve()
    rollout = world.until(lambda state: state.rollout is not None).rollout
    configs = [rollout.shadow_config] * bool(shadow) + [rollout.mixed_config, rollout.final_config]
    assert [each.name for each in world.store.state.artefacts] == [*configs, rollout.model]


def test_changed_fleet_is_rolled_out_from_the_live_model(world: Any, fleet: Fleet) -> None:
    world.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    rollout = started(world)
    assert rollout.source == Source("rain-local-bootstrap-1", "blue", fleet.image)
    assert last_failed(rollout) is None


def test_failed_rollout_of_a_version_can_be_tried_again(world: Any) -> None:
    queue(world)
    rollout = started(world)
    failed = last_failed(rollout)
    assert failed is not None
    assert (failed.version, failed.container, failed.source) == ("1.1.0", rollout.container, None)
    assert (failed.straight, failed.urgent) == ("", False)


# Freezes and windows.


def test_rollout_does_not_start_on_a_friday_night(world: Any) -> None:
    world.clock.time = FRIDAY_NIGHT
    world.settings.policy = replace(world.settings.policy, windows=(WORKDAYS,))
    world.approve()
    world.pass_time(3600)
    assert world.outcomes == []
    [text] = world.store.texts("hold")
    assert "Mon 2027-01-18 at 09:00 (UTC)" in text


def test_rollout_starts_when_the_window_opens(world: Any) -> None:
    world.clock.time = datetime(2027, 1, 15, 8, 50, tzinfo=UTC).timestamp()
    world.settings.policy = replace(world.settings.policy, windows=(WORKDAYS,))
    world.approve()
    state = world.until(lambda state: state.rollout is not None)
    late = state.rollout.started_at - datetime(2027, 1, 15, 9, 0, tzinfo=UTC).timestamp()
    assert 0 <= late < 60
    world.until_over()


def test_rollout_of_a_frozen_endpoint_waits_until_it_is_unfrozen(world: Any) -> None:
    world.command("freeze", "c1", reason="audit week")
    world.approve()
    world.pass_time(300)
    assert world.outcomes == []
    [text] = world.store.texts("hold")
    assert "frozen by ops (audit week)" in text
    world.command("unfreeze", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_changed_fleet_of_a_frozen_endpoint_waits_too(world: Any, fleet: Fleet) -> None:
    world.command("freeze", "c1")
    world.declare(replace(fleet, instance_type="ml.g6.xlarge"))
    world.pass_time(300)
    assert world.outcomes == []
    world.command("unfreeze", "c2")
    world.until_over()
    assert world.outcomes == [("bootstrap", "PROMOTED")]


def test_instance_bounds_are_kept_while_an_endpoint_is_frozen(world: Any, fleet: Fleet) -> None:
    world.command("freeze")
    world.approve()
    world.declare(replace(fleet, min_instances=2))
    world.pass_time(300)
    assert world.endpoint.variants["blue"].count == 2


def test_freezing_twice_is_accepted_and_changes_nothing(world: Any) -> None:
    world.command("freeze", "c1", reason="audit week")
    said = world.command("freeze", "c2", reason="another")
    assert said["numbers"]["accepted"]
    assert "which ops froze (audit week): nothing changes" in said["text"]
    assert world.store.state.frozen.reason == "audit week"


def test_unfreezing_what_is_not_frozen_is_accepted_and_changes_nothing(world: Any) -> None:
    said = world.command("unfreeze")
    assert said["numbers"]["accepted"]
    assert "which is not frozen" in said["text"]


def test_frozen_rollout_is_still_rolled_back_by_an_alarm(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("freeze")
    world.fail("green")
    world.until(lambda state: state.rollout is None)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


def test_freeze_says_that_the_last_phase_cannot_be_interrupted(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.FINALIZE)
    assert "FINALIZE, which cannot be interrupted" in world.command("freeze")["text"]


# The rollback window.


def two_versions(world: Any) -> str:
    """Promote 1.1.0 and then 1.2.0, and return the ARN of the first."""
    first: str = world.approve("1.1.0")
    world.until_over()
    world.clock.time += 2
    world.approve("1.2.0")
    world.until_over()
    return first


def approve_anew(world: Any, arn: str) -> Rollout:
    world.decide(arn, "Rejected")
    world.clock.time += 2
    world.decide(arn, "Approved")
    rollout: Rollout = world.until(lambda state: state.rollout is not None).rollout
    return rollout


def test_version_that_was_live_within_the_window_skips_the_steps_and_says_why(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, rollback_window_seconds=3600)
    rollout = approve_anew(world, two_versions(world))
    assert [step.weight for step in rollout.policy.plan] == [100]
    assert rollout.policy.soak_seconds == 20
    text = world.store.texts("start")[-1]
    assert "straight, because it was live until" in text
    assert "within the rollback window of 60 min" in text
    world.until_over()
    assert world.outcomes[-1] == ("1.1.0", "PROMOTED")


def test_version_that_was_live_before_the_window_takes_the_steps(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, rollback_window_seconds=3600)
    first = two_versions(world)
    world.pass_time(3700)
    rollout = approve_anew(world, first)
    assert [step.weight for step in rollout.policy.plan] == [10, 50, 100]
    assert "straight" not in world.store.texts("start")[-1]


def test_without_a_rollback_window_every_version_takes_the_steps(world: Any) -> None:
    rollout = approve_anew(world, two_versions(world))
    assert [step.weight for step in rollout.policy.plan] == [10, 50, 100]


def test_version_that_was_never_live_takes_the_steps(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, rollback_window_seconds=3600)
    world.approve("1.1.0")
    rollout = world.until(lambda state: state.rollout is not None).rollout
    assert [step.weight for step in rollout.policy.plan] == [10, 50, 100]


def test_alarm_rolls_back_what_went_straight(world: Any) -> None:
    world.settings.policy = replace(world.settings.policy, rollback_window_seconds=3600)
    approve_anew(world, two_versions(world))
    rollout = world.until_phase(Phase.SOAK).rollout
    world.fail(rollout.slot)
    world.until_over()
    assert world.outcomes[-1] == ("1.1.0", "ROLLED_BACK")


def test_rollout_does_not_start_while_the_alarm_of_its_slot_goes_off(world: Any) -> None:
    world.alarms.bad["green"] = "ALARM"
    world.approve()
    world.pass_time(120)
    assert world.outcomes == []
    assert "has not cleared yet" in world.store.texts("hold")[0]
    world.alarms.bad.clear()
    world.until_over()


def test_another_package_of_the_live_versions_name_is_rolled_out(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.clock.time += 2
    again = world.approve("1.1.0")
    world.until_over()
    assert world.store.state.live.package_arn == again
