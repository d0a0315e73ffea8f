"""How an endpoint is monitored, as the templates render it into its parameter."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.monitoring.errors import SettingsError

_MEGABYTE = 1_000_000
_MINUTE = 60
_DAY_MINUTES = 1440


@dataclass(frozen=True)
class Outputs:
    """Which of the model's outputs are what: names of its answer's fields; the threshold is of the probability."""

    probability: str | None
    prediction: str | None
    threshold: float


@dataclass(frozen=True)
class Job:
    """What a Processing job that counts a large window runs on.

    Parameters
    ----------
    image, role, instance_type, volume_gb
        Container, execution role, and machine.
    max_runtime_minutes
        After which SageMaker stops it.
    kms_key
        Encrypts the machine's volume, where that can be; None for the service's key.
    subnets, security_groups
        Of the network that it runs in; none for SageMaker's own.
    large_window_bytes
        Size of a window's files beyond which several machines count it, and about the most that one of them gets.
    parallel_jobs
        Machines that count at the same time.
    state_machine
        ARN of what runs them; None where one machine counts every window.
    """

    image: str
    role: str
    instance_type: str
    volume_gb: int
    max_runtime_minutes: int = 60
    kms_key: str | None = None
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    large_window_bytes: int = 20_000 * _MEGABYTE
    parallel_jobs: int = 4
    state_machine: str | None = None


@dataclass(frozen=True)
class Settings:
    """What monitoring an endpoint needs to know.

    Parameters
    ----------
    endpoint, bucket
        Name of the SageMaker endpoint, and the bucket with its captures, its models and what is found.
    window_seconds, delay_seconds
        Length of a window, and how long after its end it is looked at.
    label_delay_windows
        How many windows later it is looked at again, with the labels that have come.
    slices
        Columns by whose values results are shown apart.
    outputs
        What the model's outputs are; None leaves that to the baseline.
    baseline_max_age_days
        Age beyond which a baseline says nothing any more.
    small_window_bytes
        Size of a window's files up to which the function counts them itself.
    floors
        Least population stability index of a drift that counts, by severity.
    bootstrap_baseline, bootstrap_version
        Baseline (S3 URI) and version of the model that the endpoint was created with, which is in no registry.
    job
        What counts larger windows; None where all are counted by the function.
    redacted
        Columns and outputs whose values are left out of captures.
    """

    endpoint: str
    bucket: str
    window_seconds: int
    delay_seconds: int
    label_delay_windows: int
    slices: tuple[str, ...]
    outputs: Outputs | None
    baseline_max_age_days: int
    small_window_bytes: int
    floors: Mapping[str, float]
    bootstrap_baseline: str | None
    bootstrap_version: str
    job: Job | None
    redacted: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        """Read the parameter's value; fields that are not known are a newer template's, and left alone.

        Raises
        ------
        SettingsError
            When a field is missing or not allowed.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise SettingsError(
                f"the monitoring settings are not JSON ({error}); deploy the environment again"
            ) from error
        if not isinstance(data, dict):
            raise SettingsError("the monitoring settings are no JSON object; deploy the environment again")
        return cls(
            endpoint=_text(data, "endpoint"),
            bucket=_text(data, "bucket"),
            window_seconds=_whole(data, "window_minutes", 1, _DAY_MINUTES) * _MINUTE,
            delay_seconds=_whole(data, "delay_minutes", 0, _DAY_MINUTES) * _MINUTE,
            label_delay_windows=_whole(data, "label_delay_windows", 0, 10_000),
            slices=_texts(data, "slices"),
            outputs=_maybe(_outputs, data, "outputs"),
            baseline_max_age_days=_whole(data, "baseline_max_age_days", 1, 36_500),
            small_window_bytes=_whole(data, "small_window_megabytes", 1, 10_000) * _MEGABYTE,
            floors=_floors(data),
            bootstrap_baseline=_text(data, "bootstrap_baseline") if data.get("bootstrap_baseline") else None,
            bootstrap_version=_text(data, "bootstrap_version"),
            job=_maybe(_job, data, "job"),
            redacted=_texts(data, "redacted"),
        )


def _outputs(data: Mapping[str, Any]) -> Outputs:
    return Outputs(
        probability=_text(data, "probability") if data.get("probability") else None,
        prediction=_text(data, "prediction") if data.get("prediction") else None,
        threshold=_number(data, "threshold") if "threshold" in data else 0.5,
    )


def _job(given: Mapping[str, Any]) -> Job:
    data = {"max_runtime_minutes": 60, "large_window_megabytes": 20_000, "parallel_jobs": 4, **given}
    return Job(
        image=_text(data, "image"),
        role=_text(data, "role"),
        instance_type=_text(data, "instance_type"),
        volume_gb=_whole(data, "volume_gb", 1, 16_384),
        max_runtime_minutes=_whole(data, "max_runtime_minutes", 1, 7 * _DAY_MINUTES),
        kms_key=_text(data, "kms_key") if data.get("kms_key") else None,
        subnets=_texts(data, "subnets"),
        security_groups=_texts(data, "security_groups"),
        large_window_bytes=_whole(data, "large_window_megabytes", 1, 16_000_000) * _MEGABYTE,
        parallel_jobs=_whole(data, "parallel_jobs", 1, 1000),
        state_machine=_text(data, "state_machine") if data.get("state_machine") else None,
    )


def _floors(data: Mapping[str, Any]) -> Mapping[str, float]:
    given = _field(data, "floors")
    if not isinstance(given, dict):
        raise _wrong("floors", given, "an object with moderate and severe")
    floors = {name: _number(given, name) for name in ("moderate", "severe")}
    if not 0 < floors["moderate"] <= floors["severe"]:
        raise _wrong("floors", floors, "0 < moderate <= severe")
    return floors


def _maybe(read: Callable[[Mapping[str, Any]], Any], data: Mapping[str, Any], name: str) -> Any:
    given = data.get(name)
    if given is None:
        return None
    if not isinstance(given, dict):
        raise _wrong(name, given, "an object, or null")
    return read(given)


def _field(data: Mapping[str, Any], name: str) -> Any:
    if name not in data:
        raise SettingsError(f"{name} is missing from the monitoring settings; deploy the environment again")
    return data[name]


def _text(data: Mapping[str, Any], name: str) -> str:
    value = _field(data, name)
    if not isinstance(value, str) or not value:
        raise _wrong(name, value, "a text")
    return value


def _texts(data: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong(name, value, "a list of texts")
    return tuple(value)


def _number(data: Mapping[str, Any], name: str) -> float:
    value = _field(data, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, value, "a number")
    return float(value)


def _whole(data: Mapping[str, Any], name: str, least: int, most: int) -> int:
    value = _field(data, name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(name, value, f"a whole number from {least} to {most}")
    return value


def _wrong(name: str, value: object, wanted: str) -> SettingsError:
    return SettingsError(f"{name} of the monitoring settings is {value!r}; {wanted} belongs there")
