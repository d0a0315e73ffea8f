"""Capture that cannot be had is refused, under the name of the field that asks too much."""

from typing import Any

import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, load_environment

CONTAINER = {"capture": "container"}
SHADOW = {
    "strategy": "shadow",
    "shadow": {"seconds": 300},
    "soak_seconds": 300,
    "progress_deadline_seconds": 7200,
}
REDACTED = {**CONTAINER, "capture_redacted_columns": ["pressure"]}


def load(folder, fleet: dict[str, Any], rollout: dict[str, Any] | None = None, **more: Any):
    """Read dev's file with another capture; it is monitored, and neither retrained nor judged."""
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    (rain,) = body["endpoints"]
    rain["fleet"] |= fleet
    rain["rollout"].pop("judge")
    rain["rollout"] = rollout if rollout is SHADOW else rain["rollout"] | (rollout or {})
    told = {**rain, "retraining": None, **more}
    body["endpoints"] = [{name: value for name, value in told.items() if value is not None}]
    (folder / "dev.yaml").write_text(yaml.safe_dump(body))
    return load_environment("dev", folder)


def problem(folder, *arguments: Any, **more: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, *arguments, **more)
    (found,) = caught.value.problems
    return str(found)


@pytest.mark.parametrize(
    ("fleet", "field", "said"),
    [
        ({"capture": "sagemaker", "capture_redacted_columns": ["age"]}, "capture_redacted_columns", "as they are"),
        ({"capture": "sagemaker", "capture_largest_bytes": 1000}, "capture_largest_bytes: 1000", "own capture"),
        ({**CONTAINER, "capture_largest_bytes": 200_000}, "capture_largest_bytes: 200000", "lower it to 131072"),
        ({**CONTAINER, "capture_redacted_columns": ["a,b"]}, "capture_redacted_columns[0]", "the name of a column"),
        (
            {**CONTAINER, "capture_redacted_columns": [f"column_{'x' * 50}{n}" for n in range(20)]},
            "capture_redacted_columns",
            "a container's variable has 1024",
        ),
    ],
)
def test_what_cannot_be_had_is_named_with_its_reason(tmp_path, fleet, field, said):
    found = problem(tmp_path, fleet)
    assert found.startswith(f"endpoints[0].fleet.{field}")
    assert said in found
    assert ". Way out: " in found


def test_answers_are_compared_of_what_sagemaker_captures_only(tmp_path):
    found = problem(tmp_path, CONTAINER, {"judge": {"horizon_seconds": 600, "answers": {"tolerated_percent": 5}}})
    assert "those that SageMaker captures, and fleet.capture is container" in found
    assert found.endswith("Way out: write fleet.capture: sagemaker, or remove answers:")


def test_a_shadow_would_be_counted_as_traffic(tmp_path):
    found = problem(tmp_path, CONTAINER, SHADOW)
    assert "the monitor would count them as requests" in found
    assert load(tmp_path, {"capture": "sagemaker"}, SHADOW)
    assert load(tmp_path, CONTAINER, SHADOW, monitoring=None)


@pytest.mark.parametrize(
    ("monitoring", "path"),
    [
        ({"slices": ["wind", "pressure"]}, "monitoring.slices[1]: 'pressure'"),
        ({"outputs": {"probability": "pressure"}}, "monitoring.outputs.probability: 'pressure'"),
        ({"outputs": {"prediction": "pressure"}}, "monitoring.outputs.prediction: 'pressure'"),
    ],
)
def test_what_the_monitor_needs_cannot_be_redacted(tmp_path, monitoring, path):
    found = problem(tmp_path, REDACTED, monitoring=monitoring)
    assert found.startswith(f"endpoints[0].{path} is not allowed; its values are left out")


def test_what_a_model_is_trained_on_cannot_be_redacted(tmp_path):
    found = problem(tmp_path, REDACTED, retraining={"approval": "manual"})
    assert "the model is trained on what is captured" in found
    assert load(tmp_path, CONTAINER, retraining={"approval": "manual"})


def test_variables_are_those_of_the_container(tmp_path):
    from model_containers.serving.serving.settings import Settings

    (rain,) = load(tmp_path, {**REDACTED, "capture_sampling_percent": 7, "capture_largest_bytes": 999}).endpoints
    read = Settings.from_environment(rain.fleet.capture_variables)
    assert (read.capture_sampling_percent, read.capture_largest_bytes) == (7, 999)
    assert read.capture_redacted_columns == ("pressure",)
    for capture in ("sagemaker", "off"):
        (rain,) = load(tmp_path, {"capture": capture}, monitoring=None).endpoints
        assert rain.fleet.capture_variables == {}
