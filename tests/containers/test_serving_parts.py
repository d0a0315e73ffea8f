"""Parts of the serving container that a server on a CPU does not show."""

import numpy as np
import pytest

from model_containers.serving.serving import device, headers, settings
from model_containers.serving.serving.guard import Guard
from model_containers.serving.serving.signature import Signature
from tests.containers.bodies.models import refusal

EVERYTHING = [device.TENSORRT, device.CUDA, device.CPU]


@pytest.fixture
def guard():
    columns = [
        {"name": "count", "dtype": "int64", "minimum": 0, "maximum": None},
        {"name": "level", "dtype": "float32", "minimum": None, "maximum": 5.0, "allow_missing": True},
    ]
    fields = {"schema": 1, "tensor": "x", "columns": columns, "outputs": [], "sample": [[1, 2.0]]}
    return Guard(Signature.from_dict(fields))


@pytest.mark.parametrize(
    ("wanted_device", "available", "wanted", "expected"),
    [
        ("auto", EVERYTHING, (), EVERYTHING),
        ("auto", [device.CPU, device.CUDA], (), [device.CUDA, device.CPU]),
        ("auto", [device.CPU], (), [device.CPU]),
        ("gpu", EVERYTHING, (device.CUDA,), [device.CUDA, device.CPU]),
        ("cpu", EVERYTHING, (), [device.CPU]),
    ],
)
def test_execution_providers_are_asked_for_in_order(wanted_device, available, wanted, expected):
    assert device.choose(wanted_device, available, wanted) == expected


def test_gpu_that_drops_out_while_loading_is_noticed():
    with pytest.raises(device.DeviceUnavailableError, match="fall back"):
        device.require_gpu("gpu", [device.CPU])
    device.require_gpu("gpu", [device.CUDA, device.CPU])


def test_guard_lets_missing_values_pass_where_the_signature_allows_them(guard):
    rows = np.array([[1.0, np.nan]])

    assert guard.offending(rows) is None
    assert guard.prepare(rows).dtype == np.float32
    assert np.isnan(guard.prepare(rows)[0, 1])


@pytest.mark.parametrize(
    ("row", "reason"), [([1.5, 0.0], "not a whole number"), ([-1.0, 0.0], "below"), ([1.0, 9.0], "above")]
)
def test_guard_says_what_is_wrong(guard, row, reason):
    assert reason in refusal(guard, np.array([row])).detail


def test_accept_header_is_ranked_by_quality():
    assert headers.accepted("text/csv;q=0.2, application/json, image/png;q=0") == ["application/json", "text/csv"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAGEMAKER_BIND_TO_PORT", "http"),
        ("TIDEGATE_MAX_BATCH_ROWS", "0"),
        ("TIDEGATE_MAX_QUEUE_ROWS", "9999"),
        ("TIDEGATE_DEADLINE_SECONDS", "61"),
        ("TIDEGATE_DEADLINE_SECONDS", "0"),
        ("SAGEMAKER_BIND_TO_PORT", "65536"),
        ("TIDEGATE_LINGER_SECONDS", "2"),
        ("TIDEGATE_PRECISION", "fp8"),
        ("TIDEGATE_CUDA_GRAPHS", "yes"),
        ("TIDEGATE_METRICS_DIMENSIONS", "Endpoint"),
        ("TIDEGATE_MAX_ROWS", "0"),
        ("TIDEGATE_DRAIN_SECONDS", "31"),
        ("TIDEGATE_MAX_IN_FLIGHT_BYTES", "1000"),
    ],
)
def test_unusable_settings_name_the_variable_and_the_value(name, value):
    with pytest.raises(settings.SettingsError, match=f"{name} is '{value}'"):
        settings.Settings.from_environment({name: value})


def test_all_cores_but_one_compute():
    assert [settings.default_threads(cores) for cores in (1, 2, 4, 48)] == [1, 1, 3, 47]


def test_dimensions_of_metrics_are_pairs():
    read = settings.Settings.from_environment({"TIDEGATE_METRICS_DIMENSIONS": "Endpoint=rain, Variant=blue"})

    assert read.metrics_dimensions == {"Endpoint": "rain", "Variant": "blue"}
