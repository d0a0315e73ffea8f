"""Every strategy comes down to a plan of steps."""

import json
import subprocess
import sys
from typing import Any

import pytest

from lambdas.rollout.policy import AbTest, Judging, Linear, Policy, Shadow, Step

SMOKE = {"content_type": "text/csv", "body": "1,2", "requests": 3}
HOOK = {"function": "arn:aws:lambda:eu-west-1:123456789012:function:gate:live", "timeout_seconds": 30}
EVERYTHING: dict[str, Any] = {
    "strategy": "canary",
    "steps": [
        {
            "weight": 10,
            "bake_seconds": 20,
            "min_requests": 500,
            "approval": True,
            "error_rate_percent": 1.5,
            "p99_latency_milliseconds": 80,
            "before": HOOK,
            "after": HOOK,
        },
        {"weight": 100, "bake_seconds": 0, "min_requests": 0, "approval": False},
    ],
    "judge": {
        "margin": 2.0,
        "tolerated_error_percent": 0.5,
        "tolerated_slow_percent": 4,
        "answers": {"tolerated_percent": 5, "field": "rain", "tolerance": 0.001, "sample": 20},
        "horizon_seconds": 1800,
        "inconclusive": "raise",
    },
    "soak_seconds": 30,
    "progress_deadline_seconds": 3600,
    "smoke_test": SMOKE,
    "capacity": "share",
    "peak_instances": 4,
    "newer_version": "restart",
    "rollback_window_seconds": 600,
    "windows": [{"days": ["mon", "tue"], "start": "08:00", "end": "16:30"}],
    "timezone": "Europe/Berlin",
}


def policy(**changes: Any) -> Policy:
    return Policy(**{"soak_seconds": 300, "progress_deadline_seconds": 3600, **changes})


POLICIES = {
    "canary": policy(steps=(Step(1, 60), Step(100))),
    "linear": policy(strategy="linear", linear=Linear(step_weight=30, interval_seconds=60)),
    "blue-green": policy(strategy="blue-green"),
    "all-at-once": policy(strategy="all-at-once", soak_seconds=0),
    "ab-test": policy(strategy="ab-test", ab_test=AbTest(weight=40, seconds=600, winner="latency")),
    "shadow": policy(strategy="shadow", shadow=Shadow(seconds=900)),
    "shadow then ab-test": policy(
        strategy="shadow", shadow=Shadow(seconds=900), then="ab-test", ab_test=AbTest(weight=40, requests=5000)
    ),
}


def weights(policy: Policy) -> list[int]:
    return [step.weight for step in policy.plan]


@pytest.mark.parametrize(
    ("name", "expected", "watched"),
    [
        ("canary", [1, 100], 360),
        ("linear", [30, 60, 90, 100], 480),
        ("blue-green", [100], 300),
        ("all-at-once", [100], 0),
        ("ab-test", [40, 100], 900),
        ("shadow", [100], 1200),
        ("shadow then ab-test", [40, 100], 1200),
    ],
)
def test_strategy_comes_down_to_steps_that_end_with_all_the_traffic(
    name: str, expected: list[int], watched: int
) -> None:
    assert weights(POLICIES[name]) == expected
    assert POLICIES[name].watched_seconds == watched


def test_linear_steps_may_divide_the_traffic_evenly() -> None:
    assert weights(policy(strategy="linear", linear=Linear(step_weight=25, interval_seconds=60))) == [25, 50, 75, 100]


def test_smallest_linear_steps_are_as_many_as_a_canary_may_have() -> None:
    smallest = policy(strategy="linear", linear=Linear(step_weight=5, interval_seconds=60))
    assert policy(steps=smallest.plan).plan == smallest.plan


def test_last_step_bakes_for_the_soak() -> None:
    canary = POLICIES["canary"]
    assert (canary.bake_of(0), canary.bake_of(1)) == (60, 300)
    assert (canary.is_last(0), canary.is_last(1)) == (False, True)


def test_only_all_at_once_watches_nothing() -> None:
    assert [name for name, each in POLICIES.items() if each.watches_nothing] == ["all-at-once"]


def test_only_the_split_of_an_ab_test_is_one() -> None:
    assert [name for name, each in POLICIES.items() if each.is_test(0)] == ["ab-test", "shadow then ab-test"]
    assert not POLICIES["ab-test"].is_test(1)


@pytest.mark.parametrize(("winner", "asks"), [("manual", True), ("error-rate", False), ("latency", False)])
def test_a_person_is_asked_who_wins_where_nothing_else_decides(winner: Any, asks: bool) -> None:
    test = policy(strategy="ab-test", ab_test=AbTest(requests=5000, winner=winner))
    assert (test.plan[0].approval, test.plan[0].min_requests, test.plan[0].bake_seconds) == (asks, 5000, 0)


@pytest.mark.parametrize("name", POLICIES)
def test_shadow_is_followed_by_blue_green_unless_said_otherwise(name: str) -> None:
    expected = {"shadow": "blue-green", "shadow then ab-test": "ab-test"}.get(name, name)
    assert POLICIES[name].shifting == expected


@pytest.mark.parametrize("name", POLICIES)
def test_policy_survives_being_written_down(name: str) -> None:
    written = json.loads(json.dumps(POLICIES[name].to_dict()))
    assert Policy.from_dict(written) == POLICIES[name]
    assert "null" not in json.dumps(written)


def test_every_field_survives_being_written_down() -> None:
    assert Policy.from_dict(EVERYTHING).to_dict() == EVERYTHING


@pytest.mark.parametrize("name", POLICIES)
def test_straight_to_full_leaves_out_what_comes_before_all_the_traffic(name: str) -> None:
    straight = POLICIES[name].straight_to_full()
    assert weights(straight) == [100]
    assert straight.shadow is None
    assert straight.watches_nothing == POLICIES[name].watches_nothing
    assert straight.bake_of(0) == POLICIES[name].soak_seconds
    assert straight.straight_to_full() == straight


def test_straight_to_full_keeps_the_steps_that_were_taken() -> None:
    linear = POLICIES["linear"].straight_to_full(after=1)
    assert weights(linear) == [30, 60, 100]
    assert linear.bake_of(1) == 60
    shadow = policy(strategy="shadow", shadow=Shadow(seconds=900), then="all-at-once", soak_seconds=0)
    assert shadow.straight_to_full().watches_nothing


def test_straight_to_full_keeps_what_is_not_about_steps() -> None:
    full = Policy.from_dict(EVERYTHING)
    straight = full.straight_to_full()
    assert (straight.windows, straight.capacity, straight.smoke_test) == (full.windows, full.capacity, full.smoke_test)


def test_reading_a_policy_loads_neither_time_zones_nor_much_else() -> None:
    """It is read at every cold start."""
    script = (
        "import sys\n"
        "from lambdas.rollout.policy import Policy\n"
        "Policy.from_dict({'soak_seconds': 9, 'progress_deadline_seconds': 99, 'strategy': 'blue-green',\n"
        "  'windows': [{'days': ['mon'], 'start': '08:00', 'end': '09:00'}]}).opens_at(0.0)\n"
        "print([name for name in ('zoneinfo', 'json', 'boto3', 'aws_lambda_powertools') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_judge_is_told_shares_and_not_percentages() -> None:
    limits = Policy.from_dict(EVERYTHING).judge.limits  # type: ignore[union-attr]  # it has one
    assert (limits.margin, limits.tolerated_error, limits.tolerated_slow) == (2.0, 0.005, 0.04)
    assert limits.tolerated_difference == 0.05
    assert Judging().limits.tolerated_difference is None
