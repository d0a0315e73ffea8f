"""What keeps a new version from going on, and what takes it back, beside its alarms."""

from dataclasses import replace
from typing import Any

import pytest

from lambdas.rollout.errors import PermanentError
from lambdas.rollout.state import Phase


def test_alarm_that_is_still_ok_from_before_does_not_promote(world: Any) -> None:
    world.metrics.per_second = 0
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    [summary] = world.store.summaries.values()
    assert (
        "0 of 2 successive periods of 10 s with at least 10 requests have been seen at this weight" in summary["reason"]
    )


def test_requests_are_counted_from_the_moment_the_weight_is_verified(world: Any) -> None:
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    verified = [entry["numbers"]["weight"] for entry in world.store.audit if entry["kind"] == "weight"]
    assert verified == [10, 50, 100]
    assert len(set(world.metrics.looks)) == 3
    assert "was healthy at 50 % for" in world.store.texts("shift")[2]
    assert "0 of 400 requests failed" in world.store.texts("shift")[2]


def test_metrics_with_gaps_between_their_periods_do_not_promote(world: Any) -> None:
    world.metrics.every = 6
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    [summary] = world.store.summaries.values()
    assert "1 of 2 successive periods" in summary["reason"]


def test_errors_that_are_counted_roll_back_though_every_alarm_is_ok(world: Any) -> None:
    world.metrics.failing = 0.5
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert max(weights["green"] for weights in world.sagemaker.named("set_weights")) == 10
    [summary] = world.store.summaries.values()
    assert summary["reason"] == "20 of 40 requests failed at 10 %, more than 5 %"


def test_latency_alarm_without_data_does_not_promote(world: Any) -> None:
    world.alarms.bad["green"] = "NO_LATENCY"
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    [summary] = world.store.summaries.values()
    assert "rain-local-green-p99-latency is INSUFFICIENT_DATA" in summary["reason"]


def test_part_in_alarm_rolls_back_before_the_composite_follows(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.alarms.bad["green"] = "PART_ONLY"
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]


@pytest.mark.parametrize("blind", ["missing", "denied"])
def test_canary_that_no_alarm_watches_is_taken_off_within_minutes(world: Any, blind: str) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    begun = world.clock.now()
    world.alarms.missing = blind == "missing"
    world.alarms.error = PermanentError("AccessDenied: cloudwatch:DescribeAlarms") if blind == "denied" else None
    world.until_phase(Phase.ROLLBACK)
    # Noticed with the next look, within a minute.
    assert 300 <= world.clock.now() - begun < 365
    assert len(world.store.texts("blind")) == 1


def test_alarms_that_can_be_read_again_let_the_rollout_go_on(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.alarms.missing = True
    world.pass_time(200)
    world.alarms.missing = False
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert len(world.store.texts("sighted")) == 1


def by_hand(world: Any, **weights: float) -> None:
    changed = {slot: replace(world.endpoint.variants[slot], weight=w, desired_weight=w) for slot, w in weights.items()}
    world.endpoint.variants.update(changed)


def test_hand_that_takes_the_canary_off_is_followed(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    by_hand(world, blue=100, green=0)
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert [weights["green"] for weights in world.sagemaker.named("set_weights")] == [10]
    [summary] = world.store.summaries.values()
    assert summary["reason"] == "somebody has lowered its share of the traffic to 0 %"


def test_hand_that_raises_the_canary_is_undone_even_while_paused(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.command("pause")
    by_hand(world, blue=0, green=100)
    world.pass_time(60)
    assert world.endpoint.variants["green"].stands_at(10)


def test_alarm_while_the_old_version_cannot_be_removed_still_rolls_back(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    world.endpoint.failures = ["InsufficientInstanceCapacity"] * 100
    world.until(lambda state: state.rollout.setbacks == 1)
    assert any("cannot finish" in subject for subject in world.notifier.subjects)
    world.pass_time(3 * 3600)
    assert world.store.state.rollout.setbacks > 5
    world.endpoint.failures = []
    world.until_phase(Phase.SOAK)
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert set(world.endpoint.variants) == {"blue"}


def test_old_version_that_can_be_removed_in_the_end_lets_the_new_one_be_promoted(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.SOAK)
    world.endpoint.failures = ["InsufficientInstanceCapacity"] * 2
    world.until_over()
    assert world.outcomes == [("1.1.0", "PROMOTED")]
    assert len(world.store.texts("setback")) == 2


def test_look_that_is_older_than_the_call_does_not_hide_a_failing_update(world: Any) -> None:
    world.endpoint.failures = ["InsufficientInstanceCapacity"] * 100
    world.sagemaker.stale_looks = 1
    world.approve()
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    assert len(world.sagemaker.named("update")) == 3


def test_rollback_that_keeps_failing_is_told(world: Any) -> None:
    world.approve()
    world.until_phase(Phase.BAKE)
    world.sagemaker.refusals["set_weights"] = [PermanentError("AccessDenied")] * 12
    world.fail("green")
    world.until_over()
    assert world.outcomes == [("1.1.0", "ROLLED_BACK")]
    told = [subject for subject in world.notifier.subjects if "is failing" in subject]
    assert told == ["rain-local: ROLLBACK of 1.1.0 is failing"] * 3
