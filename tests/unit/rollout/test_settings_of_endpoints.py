"""Settings that cannot work are refused by the name of the field."""

import json
from typing import Any

import pytest

from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.policy import Policy
from lambdas.rollout.settings import Settings, SettingsError

POLICY = {"steps": [{"weight": 10}, {"weight": 100}], "soak_seconds": 30, "progress_deadline_seconds": 3600}


def settings(fleet: Fleet, **changes: Any) -> str:
    fields = {
        "schema": 1,
        "environment": "local",
        "endpoint": "rain-local",
        "execution_role_arn": "arn:aws:iam::111122223333:role/run",
        "image_repositories": ["repository/serving"],
        "artefact_bucket": "artefacts",
        "policy": POLICY,
        "evidence": {"periods": 2, "period_seconds": 10, "min_requests": 10, "error_rate_percent": 5},
        "fleet": fleet.to_dict(),
    }
    return json.dumps({**fields, **changes})


def test_settings_are_read_from_the_parameter(fleet: Fleet) -> None:
    read = Settings.from_json(settings(fleet))
    assert (read.endpoint, read.policy, read.fleet) == ("rain-local", Policy.from_dict(POLICY), fleet)
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
         '"artefact_bucket": "b", "policy": {}}', "soak_seconds"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_read_name_the_field(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Settings.from_json(text)
