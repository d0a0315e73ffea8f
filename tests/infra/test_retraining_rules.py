"""Retraining that its endpoint cannot have is refused, under the name of the field that asks too much."""

from typing import Any

import botocore.session
import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, load_environment

HOURLY: dict[str, Any] = {"window_minutes": 60}
ALL = {"weight": 100}


def load(
    folder,
    retraining: dict[str, Any] | None,
    monitoring: dict[str, Any] | None = HOURLY,
    rollout: dict[str, Any] | None = None,
    **environment: Any,
):
    """Read dev's file with other retraining."""
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text()) | environment
    (rain,) = body["endpoints"]
    del rain["retraining"], rain["monitoring"]
    told = {"retraining": retraining, "monitoring": monitoring}
    rain |= {name: value for name, value in told.items() if value is not None}
    rain["rollout"] = rollout or rain["rollout"]
    (folder / "dev.yaml").write_text(yaml.safe_dump(body))
    return load_environment("dev", folder)


def problem(folder, *arguments: Any, **environment: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, *arguments, **environment)
    (found,) = caught.value.problems
    return str(found)


def test_without_a_monitor_nothing_is_retrained(tmp_path):
    found = problem(tmp_path, {}, None)
    assert found.startswith("endpoints[0].retraining: 'rain' is not allowed; it starts when windows have drifted")
    assert found.endswith("Way out: add monitoring:, or remove retraining:")
    assert load(tmp_path, None, None).retrained == ()


def test_slices_fit_into_one_argument_of_a_job(tmp_path):
    limit = botocore.session.get_session().get_service_model("sagemaker").shape_for("ContainerArgument").metadata["max"]
    longest = [letter * 50 for letter in "abcd"] + ["e" * (limit - 204)]
    assert load(tmp_path, {}, {**HOURLY, "slices": longest}).retrained
    longer = {**HOURLY, "slices": [*longest[:4], longest[4] + "e"]}
    found = problem(tmp_path, {}, longer)
    assert found.startswith("endpoints[0].monitoring.slices: '257 characters' is not allowed; with commas they are one")
    assert found.endswith("Way out: save 1: fewer slices or shorter names of columns, or remove retraining:")
    assert load(tmp_path, None, longer).monitored, "the monitor's jobs are told in a file"


@pytest.mark.parametrize(
    ("retraining", "field", "said"),
    [
        ({"on_drift": {"windows": 4}}, "on_drift.windows: 4", "it looks at 3 windows. Way out: lower it, or raise of"),
        ({"on_drift": {"severe_features": 0}}, "on_drift.severe_features: 0", "raise it to 1"),
        ({"schedule_days": 3}, "schedule_days: 3", "up to 11 runs a month, of which there may be 8"),
        ({"schedule_days": 7, "cooldown_minutes": 10_080}, "schedule_days: 7", "beyond the next date"),
        ({"on_new_data": True}, "cooldown_minutes: 1440", "the 8 of a month (monthly_runs) are used up"),
        ({"cooldown_minutes": 179}, "cooldown_minutes: 179", "Way out: raise it to 180, or lower on_drift.of"),
        ({"monthly_runs": 0}, "monthly_runs: 0", "from 1 to 1000"),
        ({"least_gain_percent": 51}, "least_gain_percent: 51", "lower it to 50"),
        ({"approval": "auto"}, "approval: 'auto'", "did you mean automatic?"),
        ({"training": {"instance_type": "ml.p5.48xlarge"}}, "training.instance_type", "write it like ml.m5.large"),
        ({"training": {"instance_type": "ml.c6i.large"}}, "training.instance_type", "ml.c6i has xlarge, 2xlarge"),
        ({"training": {"max_runtime_minutes": 0}}, "training.max_runtime_minutes: 0", "raise it to 1"),
    ],
)
def test_what_cannot_be_had_is_named_with_its_reason(tmp_path, retraining, field, said):
    found = problem(tmp_path, retraining)
    assert found.startswith(f"endpoints[0].retraining.{field}")
    assert said in found
    assert ". Way out: " in found


@pytest.mark.parametrize(
    "retraining",
    [
        {},
        {"on_drift": None},
        {"on_drift": {"windows": 3}},
        {"schedule_days": 4},
        {"schedule_days": 7, "cooldown_minutes": 10_079},
        {"on_new_data": True, "cooldown_minutes": 5580},
        {"cooldown_minutes": 180},
        {"cooldown_minutes": 1, "on_drift": None},
    ],
)
def test_what_can_be_had_is_taken(tmp_path, retraining):
    environment = load(tmp_path, retraining)
    assert environment.retrained == environment.endpoints


STRATEGIES: list[dict[str, Any]] = [
    {"strategy": "all-at-once", "soak_seconds": 0},
    {"strategy": "blue-green", "soak_seconds": 120},
    {"strategy": "canary", "soak_seconds": 120, "steps": [ALL]},
    {"strategy": "shadow", "soak_seconds": 120, "shadow": {"seconds": 60}},
]


@pytest.mark.parametrize("rollout", STRATEGIES)
def test_nobody_looks_at_what_gets_all_the_traffic_at_once(tmp_path, rollout):
    rollout = {**rollout, "progress_deadline_seconds": 7200}
    found = problem(tmp_path, {"approval": "automatic"}, HOURLY, rollout, signatures="required")
    assert found.startswith("endpoints[0].retraining.approval: 'automatic' is not allowed; nobody looks at the model")
    assert found.endswith("Way out: write rollout.strategy: canary or linear, or approval: manual")
    assert load(tmp_path, {}, HOURLY, rollout)


def test_nobody_looks_at_what_is_not_signed(tmp_path):
    found = problem(tmp_path, {"approval": "automatic"}, signatures="checked")
    assert "signatures: checked lets unsigned ones pass. Way out: write signatures: required" in found
    assert load(tmp_path, {"approval": "automatic"}, signatures="required")


def test_signatures_are_checked_or_required_and_never_off(tmp_path):
    assert load(tmp_path, {}).signatures == "checked"
    assert "it must be one of checked, required" in problem(tmp_path, {}, signatures="none")
