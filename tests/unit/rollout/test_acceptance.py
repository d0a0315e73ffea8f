"""What other controllers' suites taught the field, as facts about this one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from lambdas.rollout.actions import CreateMixedConfig
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.sagemaker import SageMakerEndpoints
from lambdas.rollout.engine import LEASE_SECONDS
from lambdas.rollout.errors import PermanentError, RetryableError, TidegateError, TimedOutError
from lambdas.rollout.policy import Policy, PolicyError, Step
from lambdas.rollout.state import Phase

HOUR = 3600
SOON = 10
"""Seconds within which an event that is heard has its effect."""

SWEPT = 65
"""Seconds within which the sweep makes up for one that is not."""

LIVE_CONFIG = {"ProductionVariants": [{"VariantName": "blue", "ModelName": "live", "InitialInstanceCount": 1}]}


def weights(world: Any, slot: str = "green") -> list[float]:
    """Return the weights that a slot was given, in turn."""
    return [each[slot] for each in world.sagemaker.named("set_weights")]


def change(world: Any, **policy: Any) -> None:
    """Deploy another policy."""
    world.settings.policy = replace(world.settings.policy, **policy)


class NameTaken:
    """SageMaker's endpoint configs, reached by the real adapter, where the name of a new one turns out to be taken.

    By `found`; or, when that is None, by the very first call itself, whose answer was lost.
    """

    def __init__(self, world: Any, found: dict[str, Any] | None = None) -> None:
        self.found, self.creations = found, 0
        self._adapter = SageMakerEndpoints(Lazy("sagemaker", lambda service: self))
        self._make = world.sagemaker.create_mixed_config
        world.sagemaker.create_mixed_config = self.create

    def create(self, action: CreateMixedConfig) -> None:
        self._adapter.create_mixed_config(action)
        self._make(action)

    def describe_endpoint_config(self, EndpointConfigName: str) -> dict[str, Any]:
        found = LIVE_CONFIG if EndpointConfigName == "rain-local-bootstrap-1" else self.found
        assert found is not None
        return {**found, "EndpointConfigName": EndpointConfigName}

    def create_endpoint_config(self, **request: Any) -> None:
        self.creations += 1
        if self.found is None:
            self.found = {**request, "EndpointConfigArn": "arn", "CreationTime": datetime.now(UTC)}
            raise ReadTimeoutError(endpoint_url="https://api.sagemaker")
        text = "Cannot create already existing endpoint configuration"
        raise ClientError({"Error": {"Code": "ValidationException", "Message": text}}, "CreateEndpointConfig")


def test_first_deploy_skips_the_steps_and_the_next_version_takes_them(world: Any) -> None:
    world.pass_time(HOUR)
    state = world.store.state
    assert (world.outcomes, state.rollout, state.queued) == ([], None, None)
    assert world.sagemaker.named("update") == weights(world) == []
    assert state.live.version == "bootstrap"
    assert world.endpoint.variants["blue"].weight == 100
    world.approve("1.1.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert weights(world) == [10, 50, 100]


def test_newer_version_mid_canary_restarts_from_zero(world: Any) -> None:
    change(world, newer_version="restart")
    world.approve("1.1.0")
    world.until(lambda state: state.rollout is not None and state.rollout.step == 1)
    world.pass_time(5)
    world.approve("1.2.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.2.0", "PROMOTED")]
    assert weights(world) == [10, 50, 0, 10, 50, 100]


def test_third_version_mid_canary_keeps_the_first_as_the_stable_one(world: Any) -> None:
    change(world, newer_version="restart")
    world.approve("1.1.0")
    first = world.until_over().live
    for version in ("1.2.0", "1.3.0", "1.4.0"):
        world.approve(version)
        world.until(
            lambda state, v=version: state.rollout and state.rollout.version == v and state.rollout.phase is Phase.BAKE
        )
        state = world.store.state
        assert state.live == first
        assert (state.rollout.stable_slot, state.rollout.stable_config) == (first.slot, first.config)
        assert world.endpoint.variants[first.slot].weight == 90
    world.until_over()
    assert [outcome for _, outcome in world.outcomes] == ["PROMOTED", "ROLLED_BACK", "ROLLED_BACK", "PROMOTED"]
    assert world.store.state.live.version == "1.4.0"
    assert world.store.state.previous_config == first.config


def test_newer_version_queues_where_the_policy_says_so(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.approve("1.2.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "PROMOTED")]


def test_stable_version_submitted_again_mid_canary_returns_to_it_at_once(world: Any) -> None:
    first = world.approve("1.1.0")
    world.until_over()
    change(world, steps=(Step(10, 900), Step(100)), progress_deadline_seconds=2 * HOUR)
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.decide(first, "Rejected")
    world.pass_time(30)
    world.decide(first, "Approved")
    approved = world.clock.now()
    world.until(lambda _: world.endpoint.variants["blue"].weight == 0)
    assert world.clock.now() - approved < SOON
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "ROLLED_BACK")]
    assert world.store.state.live.version == "1.1.0"


def test_retry_after_an_abort_starts_at_the_first_step(world: Any) -> None:
    world.approve("1.1.0")
    world.until(lambda state: state.rollout is not None and state.rollout.step == 1)
    world.command("abort", "c1")
    world.until_over()
    world.command("retry", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]
    assert weights(world)[-3:] == [10, 50, 100]


def test_abort_with_nothing_under_way_changes_nothing(world: Any) -> None:
    world.approve("1.1.0")
    world.until_over()
    world.pass_time(300)
    before, live = len(world.sagemaker.calls), world.store.state.live
    world.command("abort")
    world.pass_time(300)
    assert {kind for kind, _ in world.sagemaker.calls[before:]} <= {"keep_scaling"}
    assert any("not under way" in text for text in world.store.texts("command"))
    assert world.store.state.live == live
    world.approve("1.2.0")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "PROMOTED")]


def test_promote_full_after_an_abort_skips_the_steps(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.command("abort", "c1")
    world.until_over()
    world.command("promote", "c2", full=True)
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK"), ("1.1.0", "PROMOTED")]
    assert weights(world) == [10, 0, 100]


def test_promote_during_the_watch_is_one_step(world: Any) -> None:
    change(world, steps=(Step(10, 900), Step(50, 900), Step(100)), progress_deadline_seconds=HOUR)
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.pass_time(60)
    world.command("promote", "c1")
    world.pass_time(300)
    assert world.store.state.rollout.step == 1
    assert world.store.state.rollout.phase is Phase.BAKE


def test_watch_that_ended_while_somebody_paused_stays_paused(world: Any) -> None:
    world.approve("1.1.0")
    watched = world.until_phase(Phase.BAKE).rollout
    world.command("pause", "c1")
    world.pass_time(600)
    rollout = world.store.state.rollout
    assert rollout.bake_is_over(world.clock.now())
    assert (rollout.phase, rollout.step, rollout.paused) == (Phase.BAKE, 0, True)
    assert rollout.verified_since == watched.verified_since
    assert weights(world) == [10]
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_pause_longer_than_the_progress_deadline_is_no_failure(world: Any) -> None:
    change(world, progress_deadline_seconds=100)
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.command("pause", "c1")
    world.pass_time(HOUR)
    assert world.store.state.rollout.phase is Phase.BAKE
    world.command("resume", "c2")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


@pytest.mark.parametrize(("heard", "within"), [(True, SOON), (False, SWEPT)])
def test_approval_gate_does_not_blind_the_alarms(world: Any, heard: bool, within: float) -> None:
    change(world, steps=(Step(10, 20, approval=True), Step(100)))
    world.approve("1.1.0")
    world.until_phase(Phase.APPROVE)
    world.pass_time(HOUR)
    assert world.store.texts("blind") == world.store.texts("abort") == []
    assert world.store.state.rollout.phase is Phase.APPROVE
    alarmed = world.clock.now()
    if heard:
        world.fail("green")
    else:
        world.alarms.bad["green"] = "ALARM"
    world.until(lambda _: world.endpoint.variants["green"].weight == 0)
    assert world.clock.now() - alarmed < within
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "Threshold Crossed" in world.store.texts("abort")[-1]


@pytest.mark.parametrize(
    "error",
    [RetryableError("Throttling: slow down"), TimedOutError("no answer"), PermanentError("AccessDenied: not now")],
)
def test_weight_call_that_fails_advances_nothing_and_is_repeated(world: Any, error: TidegateError) -> None:
    world.sagemaker.refusals = {"set_weights": [error] * 2}
    world.approve("1.1.0")
    for left in (1, 0):
        world.until(lambda _, n=left: len(world.sagemaker.refusals["set_weights"]) <= n)
        rollout = world.store.state.rollout
        assert (rollout.phase, rollout.step, rollout.verified_since) == (Phase.SHIFT, 0, None)
        assert world.store.texts("weight") == weights(world) == []
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert weights(world) == [10, 50, 100]


@pytest.mark.parametrize(("status", "arrived"), [("Updating", ()), ("InService", ()), ("InService", ("green",))])
def test_weight_that_is_accepted_but_not_in_effect_starts_no_clock(
    world: Any, status: str, arrived: tuple[str, ...]
) -> None:
    world.endpoint.weights_seconds = 300
    world.approve("1.1.0")
    called = world.until(lambda _: world.sagemaker.named("set_weights"))
    world.endpoint.busy_status = status
    for slot in arrived:
        variant = world.endpoint.variants[slot]
        world.endpoint.variants[slot] = replace(variant, weight=variant.desired_weight)
    world.pass_time(200)
    assert world.store.state.rollout.phase is Phase.SHIFT
    assert world.store.state.rollout.verified_since is None
    assert world.store.texts("weight") == []
    verified = world.until_phase(Phase.BAKE).rollout.verified_since
    assert verified - called.rollout.phase_since >= 300


def test_plan_that_is_edited_mid_rollout_is_for_the_next_one(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    change(world, steps=(Step(30, 20), Step(100)))
    world.until_over()
    assert weights(world) == [10, 50, 100]
    world.approve("1.2.0")
    world.until_over()
    assert weights(world, "blue")[3:] == [30, 100]


@pytest.mark.parametrize(("hours", "steps"), [(1, [100]), (3, [10, 50, 100])])
def test_way_back_skips_the_steps_inside_the_rollback_window_only(world: Any, hours: int, steps: list[float]) -> None:
    change(world, rollback_window_seconds=2 * HOUR)
    first = world.approve("1.1.0")
    world.until_over()
    world.approve("1.2.0")
    world.until_over()
    world.pass_time(hours * HOUR)
    before = len(weights(world))
    world.decide(first, "Rejected")
    world.pass_time(30)
    world.decide(first, "Approved")
    world.until_over()
    assert world.store.state.live.version == "1.1.0"
    assert weights(world)[before:] == steps


def test_good_version_after_an_aborted_one_becomes_the_stable_one(world: Any) -> None:
    world.approve("1.1.0")
    first = world.until_over().live
    world.approve("1.2.0")
    world.until_phase(Phase.BAKE)
    world.command("abort")
    world.until_over()
    before = len(weights(world, "blue"))
    world.approve("1.3.0")
    third = world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED"), ("1.2.0", "ROLLED_BACK"), ("1.3.0", "PROMOTED")]
    assert weights(world, "blue")[before:] == [10, 50, 100]
    assert (third.live.version, third.live.config) == ("1.3.0", world.endpoint.config)
    assert (third.previous_config, third.past[-1].version) == (first.config, "1.1.0")
    world.approve("1.4.0")
    world.until_phase(Phase.BAKE)
    world.fail("green")
    world.until_over()
    assert world.store.state.live == third.live
    assert world.endpoint.config == third.live.config


@pytest.mark.parametrize("weight", [101, 110, 1000])
def test_step_weight_over_a_hundred_is_refused(weight: int) -> None:
    steps = [{"weight": 10, "bake_seconds": 20}, {"weight": weight}]
    with pytest.raises(PolicyError, match=rf"steps\[1\]\.weight: {weight} .* from 1 to 100\."):
        Policy.from_dict({"steps": steps, "soak_seconds": 60, "progress_deadline_seconds": 600})


@pytest.mark.parametrize("after", [False, True])
def test_controller_that_restarts_mid_measurement_measures_on(make_world: Any, after: bool) -> None:
    watch = 100

    def measured(at: int | None) -> tuple[int, int]:
        world = make_world()
        change(world, steps=(Step(10, watch), Step(50, 20), Step(100)))
        world.crashes.at, world.crashes.after = at, after
        world.approve()
        since = world.until_phase(Phase.BAKE).rollout.verified_since
        begun = world.crashes.count
        state = world.until(
            lambda state: state.rollout.phase is not Phase.BAKE or state.rollout.verified_since != since
        )
        assert (state.rollout.phase, state.rollout.step) == (Phase.SHIFT, 1), at
        assert watch <= world.clock.now() - since <= watch + LEASE_SECONDS + SWEPT, at
        ended = world.crashes.count
        world.until_over()
        assert world.outcomes == [("1.1.0", "PROMOTED")], at
        assert weights(world) == [10, 50, 100], at
        world.check()
        return begun, ended

    begun, ended = measured(None)
    for at in range(begun + 1, ended + 1):
        measured(at)


def test_config_that_is_there_already_with_the_same_content_is_taken_for_made(world: Any) -> None:
    taken = NameTaken(world)
    world.approve("1.1.0")
    world.until(lambda _: taken.creations == 1)
    # What the first call asked for is asked for again, whatever the endpoint has come to meanwhile.
    world.endpoint.variants["blue"] = replace(world.endpoint.variants["blue"], count=2, desired_count=2)
    world.until_over()
    assert taken.creations == 2
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert world.store.texts("failure") == []


def test_config_that_is_there_already_with_other_content_is_never_put_live(world: Any) -> None:
    taken = NameTaken(world, {"ProductionVariants": [*LIVE_CONFIG["ProductionVariants"], {"VariantName": "green"}]})
    world.approve("1.1.0")
    name = world.until(lambda state: state.rollout).rollout.mixed_config
    world.until_over()
    assert taken.creations == 3
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert f"there is another endpoint config called {name} already" in world.store.texts("abort")[-1]
    assert world.sagemaker.named("update") == weights(world) == []
    world.pass_time(600)
    deleted = [arguments for name, *arguments in world.sagemaker.calls if name.startswith("delete")]
    assert deleted
    assert not any(name in arguments for arguments in deleted)


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating"])
def test_endpoint_that_is_being_updated_is_waited_for(world: Any, status: str) -> None:
    world.endpoint.begin(600, lambda: None, status)
    before = len(world.sagemaker.calls)
    world.approve("1.1.0")
    world.pass_time(500)
    assert (world.store.state.rollout, world.sagemaker.calls[before:]) == (None, [])
    world.until_phase(Phase.BAKE)
    world.endpoint.begin(600, lambda: None, status)
    before = len(world.sagemaker.calls)
    world.pass_time(500)
    assert world.store.state.rollout.phase is Phase.BAKE
    assert world.sagemaker.calls[before:] == []
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert world.store.texts("failure") == []


def test_alarm_while_the_endpoint_is_being_updated_is_heeded_as_soon_as_that_is_over(world: Any) -> None:
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.endpoint.begin(600, lambda: None, "SystemUpdating")
    free = world.endpoint.busy_until
    world.fail("green")
    world.pass_time(SOON)
    world.alarms.bad.clear()
    assert world.store.state.rollout.phase is Phase.ROLLBACK
    world.until(lambda _: world.endpoint.variants["green"].weight == 0)
    assert free <= world.clock.now() < free + SOON
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


@pytest.mark.parametrize("good", [True, False])
def test_approval_that_comes_twice_is_one_rollout(world: Any, good: bool) -> None:
    arn = world.register("1.1.0")
    said = world.decide(arn, "Approved")
    world.hear(arn, said)
    world.until_phase(Phase.BAKE)
    world.hear(arn, said)
    if not good:
        world.fail("green")
    world.until_over()
    world.alarms.bad.clear()
    world.hear(arn, said)
    world.pass_time(HOUR)
    assert world.outcomes == [("1.1.0", "PROMOTED" if good else "ROLLED_BACK")]
    assert (len(world.store.texts("approved")), world.store.texts("superseded")) == (1, [])


def test_alarm_that_is_on_already_keeps_a_rollout_from_starting_and_is_named(world: Any) -> None:
    world.alarms.bad["green"] = "ALARM"
    world.approve("1.1.0")
    world.pass_time(600)
    assert world.store.state.rollout is None
    assert any("rain-local-green-unhealthy has not cleared" in text for text in world.store.texts("hold"))
    world.alarms.bad.clear()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_alarm_whose_event_is_lost_is_found_by_the_sweep(make_world: Any) -> None:
    world = make_world(lose_timers=True, lose_events=True)
    change(world, steps=(Step(10, HOUR), Step(100)), progress_deadline_seconds=2 * HOUR)
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    alarmed = world.clock.now()
    world.fail("green")
    world.until(lambda _: weights(world)[-1] == 0)
    assert world.clock.now() - alarmed < 65
    world.check()
