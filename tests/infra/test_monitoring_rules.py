"""Monitoring that its endpoint cannot have is refused, under the name of the field that asks too much."""

from typing import Any

import pytest
import yaml

from stacks.config import ENVIRONMENTS, ConfigError, Environment, load_environment


def load(folder, monitoring: dict[str, Any] | None, fleet: dict[str, Any] | None = None, **environment: Any):
    """Read dev's file with other monitoring, and without retraining."""
    body = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text()) | environment
    (rain,) = body["endpoints"]
    del rain["retraining"], rain["monitoring"]
    rain |= {"monitoring": monitoring} if monitoring is not None else {}
    rain["fleet"] |= fleet or {}
    rain["rollout"].pop("judge")  # it works on what is captured, too
    (folder / "dev.yaml").write_text(yaml.safe_dump(body))
    return load_environment("dev", folder)


def problem(folder, *arguments: Any, **environment: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, *arguments, **environment)
    (found,) = caught.value.problems
    return str(found)


@pytest.mark.parametrize(
    ("monitoring", "field", "said"),
    [
        ({"window_minutes": 50}, "window_minutes: 50", "must divide the 1440 minutes of a day. Way out: write 48"),
        ({"window_minutes": 0}, "window_minutes: 0", "from 1 to 1440. Way out: raise it to 1"),
        ({"window_minutes": 5}, "delay_minutes: 10", "a window is 5 minutes, and the alarm"),
        ({"floors": {"moderate": 0.2}}, "floors.severe: 0.1", "which begins at 0.2. Way out: raise it"),
        ({"outputs": {}}, "outputs: nothing", "Way out: add probability: or prediction:, or remove outputs:"),
        (
            {"outputs": {"prediction": "rain", "threshold": 0.4}},
            "outputs.threshold: 0.4",
            "Way out: add probability:, or remove threshold:",
        ),
        ({"outputs": {"probability": "a\nb"}}, "outputs.probability", "the name of a column"),
        ({"outputs": {"probability": "p", "threshold": 1.5}}, "outputs.threshold: 1.5", "from 0 to 1"),
        ({"label_delay_windows": 200}, "label_delay_windows: 200", "expected 12010 minutes after a request"),
        ({"job": {"instance_type": "ml.t3.micro"}}, "job.instance_type", "ml.t3 has medium, large, xlarge, 2xlarge"),
        ({"job": {"instance_type": "ml.g5.xlarge"}}, "job.instance_type", "Way out: write it like ml.m5.large"),
        ({"job": {"volume_gigabytes": 0}}, "job.volume_gigabytes: 0", "from 1 to 16384"),
        (
            {"job": {"large_window_megabytes": 60}},
            "job.large_window_megabytes: 60",
            "which is 64. Way out: raise it, or lower small_window_megabytes",
        ),
        (
            {"job": {"large_window_megabytes": 40_000}},
            "job.volume_gigabytes: 30",
            "do not fit on the disk. Way out: raise it to 52",
        ),
        ({"job": {"volume_gigabytes": 26}}, "job.volume_gigabytes: 26", "Way out: raise it to 27"),
        ({"job": {"parallel_jobs": 0}}, "job.parallel_jobs: 0", "from 1 to 100"),
        ({"slices": ["a", ""]}, "slices[1]: ''", "the name of a column"),
        ({"small_window_megabytes": 2000}, "small_window_megabytes: 2000", "lower it to 1024"),
        ({"baseline_max_age_days": 0}, "baseline_max_age_days: 0", "raise it to 1"),
    ],
)
def test_what_cannot_be_had_is_named_with_its_reason(tmp_path, monitoring, field, said):
    found = problem(tmp_path, monitoring)
    assert found.startswith(f"endpoints[0].monitoring.{field}")
    assert said in found
    assert ". Way out: " in found


def test_what_is_not_captured_cannot_be_counted(tmp_path):
    found = problem(tmp_path, {}, {"capture": "off"})
    assert found.startswith("endpoints[0].fleet.capture: 'off' is not allowed; what is counted are captured requests")
    assert found.endswith("Way out: write fleet.capture: sagemaker or container, or remove monitoring:")
    assert load(tmp_path, None, {"capture": "off"}).monitored == ()


@pytest.mark.parametrize(
    "monitoring",
    [
        {},
        {"window_minutes": 1, "delay_minutes": 1},
        {"window_minutes": 1440, "label_delay_windows": 6},
        {"outputs": {"prediction": "rain"}},
        {"outputs": {"probability": "p", "threshold": 0.4}},
        {"slices": ["month of year"]},
        {"job": {"large_window_megabytes": 65, "volume_gigabytes": 3}},
    ],
)
def test_what_can_be_had_is_taken(tmp_path, monitoring):
    environment: Environment = load(tmp_path, monitoring)
    assert environment.monitored == environment.endpoints


def test_labels_may_come_as_late_as_requests_are_kept(tmp_path):
    late = {"window_minutes": 60, "delay_minutes": 60, "label_delay_windows": 167}
    assert load(tmp_path, late, capture_retention_days=7)
    assert "raise capture_retention_days" in problem(tmp_path, {**late, "label_delay_windows": 168})
