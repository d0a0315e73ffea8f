"""Each strategy as a whole, forward and back, in virtual time."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.policy import AbTest, Linear, Policy, Shadow, Step
from lambdas.rollout.state import Phase

TIMES: dict[str, Any] = {"soak_seconds": 20, "progress_deadline_seconds": 1800, "peak_instances": 1}


def shares(world: Any) -> list[float]:
    """Return the weights that the new version was given, in turn."""
    return [weights["green"] for weights in world.sagemaker.named("set_weights")]


def run(world: Any, **policy: Any) -> Any:
    """Roll 1.1.0 out under a policy and return the state at the end."""
    world.settings.policy = Policy(**{**TIMES, **policy})
    world.approve()
    return world.until_over()


def test_linear_takes_equal_steps(world: Any) -> None:
    run(world, strategy="linear", linear=Linear(25, 20))
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert shares(world) == [25, 50, 75, 100]


def test_blue_green_takes_everything_at_once_and_soaks(world: Any) -> None:
    world.settings.policy = Policy(**TIMES, strategy="blue-green")
    world.approve()
    begun = world.until_phase(Phase.SOAK).rollout
    state = world.until_phase(Phase.FINALIZE)
    assert shares(world) == [100]
    assert state.rollout.phase_since - begun.verified_since >= 20


def test_blue_green_has_an_instant_way_back(world: Any) -> None:
    world.settings.policy = Policy(**TIMES, strategy="blue-green")
    world.approve()
    world.until_phase(Phase.SOAK)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert shares(world) == [100, 0]


def test_all_at_once_watches_nothing(world: Any) -> None:
    world.metrics.per_second = 0
    state = run(world, strategy="all-at-once", soak_seconds=0)
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert state.live.version == "1.1.0"


def test_shadow_answers_copies_before_it_takes_traffic(world: Any) -> None:
    run(world, strategy="shadow", shadow=Shadow(30, traffic_percent=40), then="linear", linear=Linear(50, 20))
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    [shadow] = world.sagemaker.shadowing.values()
    assert (shadow.slot, shadow.traffic_percent) == ("green", 40)
    assert shares(world) == [50, 100]
    assert any("was good as a shadow" in text for text in world.store.texts())


def test_shadow_that_fails_more_than_the_live_version_goes_back_without_traffic(world: Any) -> None:
    world.metrics.failing = {"green": 0.03}
    run(world, strategy="shadow", shadow=Shadow(30, error_rate_points=1))
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert shares(world) == []
    [summary] = world.store.summaries.values()
    assert "as a shadow it was worse" in summary["reason"]
    assert world.endpoint.shadows == {}


def test_shadow_that_is_much_slower_goes_back(world: Any) -> None:
    world.metrics.latency_ms = {"green": 30.0, "blue": 10.0}
    run(world, strategy="shadow", shadow=Shadow(30))
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "50 % slower" in world.store.summaries.popitem()[1]["reason"]


def test_shadow_waits_for_the_copies_it_was_asked_for(world: Any) -> None:
    world.metrics.per_second = 4
    world.settings.policy = Policy(**TIMES, strategy="shadow", shadow=Shadow(30, min_requests=1000))
    world.approve()
    world.until_phase(Phase.SHADOW)
    world.pass_time(150)
    assert world.store.state.rollout.phase is Phase.SHADOW
    assert any("of 1,000 requests" in text for text in world.store.texts("hold"))
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_shadow_whose_alarm_goes_off_goes_back(world: Any) -> None:
    world.settings.policy = Policy(**TIMES, strategy="shadow", shadow=Shadow(300))
    world.approve()
    world.until(lambda state: state.rollout is not None and state.rollout.verified_since is not None)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert world.endpoint.config == world.store.state.seed_config


def test_ab_test_is_held_and_its_winner_is_kept(world: Any) -> None:
    world.metrics.latency_ms = {"green": 8.0, "blue": 10.0}
    run(world, strategy="ab-test", ab_test=AbTest(50, seconds=120, winner="latency"))
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert shares(world) == [50, 100]
    [verdict] = world.store.texts("verdict")
    assert "won the A/B test by latency" in verdict
    assert "8.0 ms on average; live" in verdict


def test_ab_test_that_is_lost_goes_back(world: Any) -> None:
    world.metrics.failing = {"green": 0.02, "blue": 0.01}
    run(world, strategy="ab-test", ab_test=AbTest(50, seconds=120, winner="error-rate"))
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "lost the A/B test by error-rate" in world.store.summaries.popitem()[1]["reason"]


def test_ab_test_by_sample_size_waits_for_both_versions(world: Any) -> None:
    # At 10 % the new version needs longer than the live one.
    world.settings.policy = Policy(**TIMES, strategy="ab-test", ab_test=AbTest(10, requests=800, winner="latency"))
    world.approve()
    begun = world.until_phase(Phase.BAKE).rollout
    assert world.until_phase(Phase.SHIFT).rollout.phase_since - begun.verified_since >= 200
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


@pytest.mark.parametrize(("command", "outcome"), [("approve", "PROMOTED"), ("abort", "ROLLED_BACK")])
def test_ab_test_by_hand_waits_for_a_choice(world: Any, command: str, outcome: str) -> None:
    world.settings.policy = Policy(**TIMES, strategy="ab-test", ab_test=AbTest(50, seconds=60))
    world.approve()
    world.until_phase(Phase.APPROVE)
    world.pass_time(7200)
    assert world.store.state.rollout.phase is Phase.APPROVE
    assert any("ms on average; live" in text for text in world.store.texts("approval"))
    world.command(command)
    world.until_over()
    assert world.outcomes == [("1.1.0", outcome)]


def test_ab_test_is_ended_early_by_an_operator(world: Any) -> None:
    world.metrics.latency_ms = {"green": 12.0, "blue": 10.0}
    world.settings.policy = Policy(**TIMES, strategy="ab-test", ab_test=AbTest(50, seconds=1200, winner="latency"))
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("promote")
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_step_with_a_stricter_error_rate_goes_back(world: Any) -> None:
    world.metrics.failing = {"green": 0.03}
    strict = (Step(10, 60, error_rate_percent=1), Step(100))
    run(world, steps=strict)
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "at 10 %, more than 1 %" in world.store.summaries.popitem()[1]["reason"]


def test_stricter_error_rate_holds_at_its_own_step_only(world: Any) -> None:
    world.settings.policy = Policy(**TIMES, steps=(Step(10, 30, error_rate_percent=1), Step(100)))
    world.approve()
    world.until_phase(Phase.SOAK)
    world.metrics.failing = {"green": 0.03}
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]


def test_step_with_a_stricter_latency_goes_back(world: Any) -> None:
    world.metrics.p99_ms = 90.0
    run(world, steps=(Step(10, 60, p99_latency_milliseconds=80), Step(100)))
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert "90 ms at 10 %, where 80 ms are allowed" in world.store.summaries.popitem()[1]["reason"]


def test_step_waits_for_its_requests(world: Any) -> None:
    run(world, steps=(replace(Step(10, 20), min_requests=800), Step(100)))
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    shifted = [entry for entry in world.store.audit if entry["kind"] == "shift"]
    assert any("of 800 requests at this weight" in text for text in world.store.texts("hold"))
    assert len(shifted) == 2
