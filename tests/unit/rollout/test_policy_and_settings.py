"""Policies and settings that cannot work are refused by the name of the field."""

import json
from typing import Any

import pytest

from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.policy import Policy, PolicyError
from lambdas.rollout.settings import Settings, SettingsError

GOOD: dict[str, Any] = {
    "strategy": "canary",
    "steps": [{"weight": 10, "bake_seconds": 20}, {"weight": 100, "bake_seconds": 5}],
    "soak_seconds": 30,
    "deadline_seconds": 3600,
    "smoke_test": {"content_type": "text/csv", "body": "1,2", "requests": 3},
}


def test_policy_survives_being_written_down() -> None:
    assert Policy.from_dict(GOOD).to_dict() == GOOD


def test_last_step_bakes_for_the_soak() -> None:
    policy = Policy.from_dict(GOOD)
    assert (policy.bake_of(0), policy.bake_of(1), policy.watched_seconds) == (20, 30, 50)


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"steps": [{"weight": 10}]}, "steps[0].weight", "never reaches 100"),
        ({"steps": [{"weight": 50}, {"weight": 50}, {"weight": 100}]}, "steps[1].weight", "must rise"),
        ({"steps": []}, "steps", "1 to 20 steps"),
        ({"steps": "10"}, "steps", "list"),
        ({"steps": [{"weight": 0}, {"weight": 100}]}, "steps[0].weight", "1 to 100"),
        ({"steps": [{"weight": True}, {"weight": 100}]}, "steps[0].weight", "whole number"),
        ({"steps": [{"weight": 100, "bake": 5}]}, "steps[0].bake", "weight, bake_seconds"),
        ({"steps": [{"bake_seconds": 5}]}, "steps[0].weight", "required"),
        ({"soak_seconds": -1}, "soak_seconds", "whole number"),
        ({"deadline_seconds": 50}, "deadline_seconds", "more than the 50 s"),
        ({"strategy": "big-bang"}, "strategy", "canary"),
        ({"smoke_test": {"content_type": "text/csv"}}, "smoke_test.body", "required"),
        ({"smoke_test": {"content_type": "text/csv", "body": "", "requests": 1}}, "smoke_test.body", "1 to 2000"),
        ({"smoke_test": {"content_type": "t", "body": "b", "requests": 99}}, "smoke_test.requests", "1 to 10"),
        ({"colour": "red"}, "colour", "fields of policy"),
    ],
)
def test_policy_that_cannot_work_names_the_field_and_what_is_allowed(
    change: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(PolicyError) as raised:
        Policy.from_dict({**GOOD, **change})
    assert raised.value.field == field
    assert said in str(raised.value)


def settings(fleet: Fleet, **changes: Any) -> str:
    fields = {
        "schema": 1,
        "environment": "local",
        "endpoint": "rain-local",
        "execution_role_arn": "arn:aws:iam::111122223333:role/run",
        "image_repositories": ["repository/serving"],
        "artefact_bucket": "artefacts",
        "policy": GOOD,
        "evidence": {"periods": 2, "period_seconds": 10, "min_requests": 10, "error_rate_percent": 5},
        "fleet": fleet.to_dict(),
    }
    return json.dumps({**fields, **changes})


def test_settings_are_read_from_the_parameter(fleet: Fleet) -> None:
    read = Settings.from_json(settings(fleet))
    assert (read.endpoint, read.policy, read.fleet) == ("rain-local", Policy.from_dict(GOOD), fleet)
    assert read.evidence == Evidence(periods=2, period_seconds=10, min_requests=10, error_rate_percent=5)


def test_evidence_that_asks_for_nothing_is_refused(fleet: Fleet) -> None:
    with pytest.raises(SettingsError, match=r"evidence.periods: 0"):
        Settings.from_json(
            settings(fleet, evidence={"periods": 0, "period_seconds": 10, "min_requests": 10, "error_rate_percent": 5})
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not json", "cannot be read"),
        ('{"schema": 7}', "schema 7"),
        ('{"schema": 1}', "environment is missing"),
        ('{"schema": 1, "environment": "local", "endpoint": "e", "execution_role_arn": "r", "image_repositories": [], '
         '"artefact_bucket": "b", "policy": {}}', "steps"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read_name_the_field(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.from_json(text)
