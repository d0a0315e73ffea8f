"""What callers are told of an endpoint's versions: which are live, where, and with what share of the traffic."""

import json
import sys
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.contract import ROUTE_ATTRIBUTE
from lambdas.rollout import items
from lambdas.rollout.errors import TimedOutError
from lambdas.rollout.policy import Shadow, Step
from lambdas.rollout.route import percent_in_effect, route_of
from lambdas.rollout.state import FORWARD, TERMINAL, Phase, Rollout, State

UNDER_WAY = sorted(set(Phase) - TERMINAL)


class Seen:
    """Every route that is written, with the state that it was written of."""

    def __init__(self, world: Any) -> None:
        self.routes: list[tuple[State, dict[str, Any]]] = []
        watch = world.store.on_save

        def on_save(before: State | None, after: State) -> None:
            watch(before, after)
            self.routes.append((after, json.loads(json.dumps(route_of(after)))))

        world.store.on_save = on_save

    def percents(self) -> list[int]:
        """Return the percentages in their order, each once as long as it lasts."""
        found = [route["percent"] for _, route in self.routes]
        return [each for each, before in zip(found, [None, *found], strict=False) if each != before]


@pytest.fixture
def begun(world: Any) -> Rollout:
    """Return a rollout that has begun."""
    world.approve("1.1.0")
    found = world.until_phase(Phase.PREPARE).rollout
    assert found is not None
    return found  # type: ignore[no-any-return]


def test_percentages_follow_the_weights_that_are_verified(world: Any) -> None:
    seen = Seen(world)
    world.approve("1.1.0")
    state = world.until_over()
    assert seen.percents() == [0, 10, 50, 100, 0]
    assert route_of(state) == {
        "live": {
            "slot": "green",
            "version": "1.1.0",
            "key": state.live.package_arn,
            "cache": f"{state.live.package_arn}@{state.live.config}",
        },
        "candidate": None,
        "percent": 0,
    }


def test_shares_never_run_ahead_of_the_endpoint(world: Any) -> None:
    def watch(before: State | None, after: State) -> None:
        if after.rollout is not None and not after.rollout.abort_reason:
            variant = world.endpoint.variants.get(after.rollout.slot)
            assert route_of(after)["percent"] <= (variant.weight if variant else 0)

    world.store.on_save = watch
    world.approve("1.1.0")
    world.until_over()


@pytest.mark.parametrize("phase", sorted(FORWARD))
def test_a_durable_abort_takes_everything_away_at_once(world: Any, phase: Phase) -> None:
    steps = (Step(10, 20), Step(50, 20, approval=True), Step(100))
    world.settings.policy = replace(
        world.settings.policy, strategy="shadow", shadow=Shadow(30), then="canary", steps=steps
    )
    seen = Seen(world)
    # A smoke test without an answer keeps the rollout in TEST for a while.
    world.invoker.errors = [TimedOutError("Read timeout")]
    world.approve("1.1.0")
    if phase is Phase.SOAK:
        world.until_phase(Phase.APPROVE)
        world.command("approve", "c0")
    world.until_phase(phase)
    world.command("abort")
    world.until_over()
    given_up = [route for state, route in seen.routes if state.rollout and state.rollout.abort_reason]
    assert given_up
    assert {route["percent"] for route in given_up} == {0}
    assert {route["candidate"]["slot"] for route in given_up} == {"green"}
    assert route_of(world.store.state)["candidate"] is None


def test_a_slot_keeps_its_key_through_a_promotion(world: Any) -> None:
    seen = Seen(world)
    for version in ("1.1.0", "1.2.0"):
        world.approve(version)
        world.until_over()
    named: dict[str, list[str]] = {"blue": [], "green": []}
    for _, route in seen.routes:
        for served in filter(None, (route["live"], route["candidate"])):
            keys = named[served["slot"]]
            if not keys or keys[-1] != served["key"]:
                keys.append(served["key"])
    first, second = (route_of(state)["live"]["key"] for state, _ in (seen.routes[0], seen.routes[-1]))
    assert named["blue"] == [first, second]
    assert len(named["green"]) == 1


def test_a_clone_has_the_key_of_the_config_that_it_is_going_to_be_live_with(world: Any, fleet: Any) -> None:
    world.declare(replace(fleet, instance_type="ml.g5.2xlarge"))
    state = world.until_phase(Phase.SHIFT)
    candidate = route_of(state)["candidate"]
    assert candidate["key"] == candidate["cache"] == f"bootstrap@{state.rollout.final_config}"
    assert candidate["key"] != route_of(state)["live"]["key"]
    assert route_of(world.until_over())["live"] == candidate


def test_answers_are_kept_anew_in_another_container(world: Any, fleet: Any) -> None:
    world.approve("1.1.0")
    before = route_of(world.until_over())["live"]
    world.declare(replace(fleet, instance_type="ml.g5.2xlarge"))
    candidate = route_of(world.until_phase(Phase.SHIFT))["candidate"]
    assert candidate["key"] == before["key"]
    assert candidate["cache"] != before["cache"]
    assert route_of(world.until_over())["live"] == candidate


def test_a_version_that_is_rolled_back_to_finds_its_own_answers(world: Any) -> None:
    before = route_of(world.store.state)["live"]
    world.approve("1.1.0")
    world.until_phase(Phase.BAKE)
    world.command("abort")
    assert route_of(world.until_over())["live"] == before


@given(phase=st.sampled_from(UNDER_WAY), step=st.integers(0, 2), effect=st.none() | st.integers(0, 2))
def test_no_phase_promises_more_than_is_planned(phase: Phase, step: int, effect: int | None) -> None:
    rollout = replace(_some_rollout(), phase=phase, step=step, effect_step=effect)
    percent = percent_in_effect(rollout)
    assert 0 <= percent <= 100
    if phase in (Phase.BAKE, Phase.APPROVE):
        assert percent == rollout.weight
    if phase is Phase.SHIFT:
        assert percent == (0 if effect is None else rollout.policy.plan[effect].weight)
    if phase in (Phase.SHADOW, Phase.PREPARE, Phase.TEST, Phase.ROLLBACK, Phase.RESTORE):
        assert percent == 0
    if phase in (Phase.SOAK, Phase.FINALIZE):
        assert percent == 100


@cache
def _some_rollout() -> Rollout:
    world = sys.modules["rollout_world"].World()
    world.approve("1.1.0")
    found: Rollout = world.until_phase(Phase.PREPARE).rollout
    return found


def test_the_engine_reads_no_route_back(world: Any, begun: Rollout) -> None:
    item = items.state_item(world.store.state)
    assert item[ROUTE_ATTRIBUTE]["candidate"]["version"] == begun.version
    assert items.read_state({**item, ROUTE_ATTRIBUTE: {"live": "nonsense"}}) == world.store.state
