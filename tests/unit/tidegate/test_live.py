from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tidegate import live
from tidegate.errors import OperatorError
from tidegate.live import BOOTSTRAP, VersionsByConfig

MODELS = {"blue": "s3://assets/seed.tar.gz", "green": "s3://artefacts/1.1.0/model.tar.gz"}


def test_a_weight_that_sagemaker_leaves_out_is_zero(account: Any) -> None:
    account.serve("mixed", {"blue": 100.0, "green": 0.0}, MODELS)
    seen = live.observe(account.aws, "rain-local")
    assert [(variant.name, variant.weight) for variant in seen.variants] == [("blue", 100.0), ("green", 0.0)]
    assert seen.variant("green") == seen.variants[1]
    assert seen.variant("red") is None


def test_a_missing_endpoint_is_told(account: Any) -> None:
    with pytest.raises(OperatorError, match="no endpoint 'rain-local'"):
        live.observe(account.aws, "rain-local")


def test_versions_are_looked_up_by_model_data_and_once_per_config(account: Any) -> None:
    account.serve("mixed", {"blue": 100.0}, MODELS)
    versions = VersionsByConfig(account.aws, {MODELS["green"]: "1.1.0", MODELS["blue"]: BOOTSTRAP}.__getitem__)
    assert versions.of("mixed") == {"blue": BOOTSTRAP, "green": "1.1.0"}
    assert versions.of("mixed") == versions.of("mixed")
    assert account.sagemaker.config_calls == 1


def test_alarms_of_both_slots_include_the_composites(account: Any) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    account.cloudwatch.states = {
        "rain-local-green-5xx-rate": ("OK", since),
        "rain-local-blue-unhealthy": ("ALARM", since),
        "hail-local-blue-unhealthy": ("ALARM", since),
    }
    found = live.alarms(account.aws, "rain-local")
    assert [(alarm.name, alarm.state) for alarm in found] == [
        ("rain-local-blue-unhealthy", "ALARM"),
        ("rain-local-green-5xx-rate", "OK"),
    ]
    assert found[0].since == since.timestamp()
