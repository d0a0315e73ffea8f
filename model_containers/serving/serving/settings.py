"""What the environment says about how to serve."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEVICES = ("auto", "gpu", "cpu")
PRECISIONS = ("fp16", "fp32", "int8")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
KIBIBYTE = 1024
MEBIBYTE = 1024 * 1024
MOST_PORTS = 65_535
BACKLOG = 1024
"""Connections that the kernel holds until they are accepted."""
BODIES_IN_FLIGHT = 4
"""How many of the largest bodies may be in flight at once, unless told otherwise."""

QUEUES = 10
"""How many of the largest requests may wait, unless told otherwise."""

LARGEST_CAPTURE_BYTES = 128 * KIBIBYTE
"""Of a body that is captured: with its answer it goes into one log event, which holds 256 KiB."""

LONGEST_DRAIN = 29.0
"""SageMaker kills the container 30 s after SIGTERM: to drain for longer is to be cut off."""


class SettingsError(Exception):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve; `from_environment` names the variable behind each field."""

    port: int = 8080
    model_dir: Path = Path("/opt/ml/model")
    device: str = "auto"
    intra_op_threads: int = 1
    max_batch_rows: int = 64
    max_queue_rows: int = 100_000
    linger_seconds: float = 0.005
    deadline_seconds: float = 30.0
    stuck_seconds: float = 60.0
    latency_threshold_seconds: float | None = None
    gpu: int = 0
    precision: str = "fp16"
    cuda_graphs: bool = True
    engine_cache: Path = Path("/tmp/tidegate-engines")
    scratch: Path = Path("/tmp/tidegate-model")
    model_digest: str | None = None
    model_public_key: str | None = None
    model_version: str = "unknown"
    metrics_log_seconds: float = 60.0
    metrics_dimensions: Mapping[str, str] = field(default_factory=dict)
    max_body_bytes: int = 25 * MEBIBYTE
    max_rows: int = 10_000
    max_in_flight_bytes: int = BODIES_IN_FLIGHT * 25 * MEBIBYTE
    drain_seconds: float = 25.0
    lame_duck_seconds: float = 0.5
    log_level: str = "INFO"
    capture_sampling_percent: float = 0.0
    capture_largest_bytes: int = 16 * KIBIBYTE
    capture_redacted_columns: tuple[str, ...] = ()
    capture_variant: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises
        ------
        SettingsError
            Naming the variable, its value and what is allowed.
        """
        body = _whole(environ, "TIDEGATE_MAX_BODY_BYTES", 25 * MEBIBYTE)
        rows = _whole(environ, "TIDEGATE_MAX_ROWS", 10_000)
        return cls(
            port=_port(environ),
            model_dir=Path(environ.get("SM_MODEL_DIR", "/opt/ml/model")),
            device=_choice(environ, "TIDEGATE_DEVICE", "auto", DEVICES),
            intra_op_threads=_whole(environ, "TIDEGATE_INTRA_OP_THREADS", default_threads(os.cpu_count() or 1)),
            max_batch_rows=_whole(environ, "TIDEGATE_MAX_BATCH_ROWS", 64),
            max_queue_rows=_whole(environ, "TIDEGATE_MAX_QUEUE_ROWS", QUEUES * rows, least=rows),
            linger_seconds=_seconds(environ, "TIDEGATE_LINGER_SECONDS", 0.005, most=1.0),
            # SageMaker gives an invocation 60 s.
            deadline_seconds=_seconds(environ, "TIDEGATE_DEADLINE_SECONDS", 30.0, most=60.0, least=0.01),
            stuck_seconds=_seconds(environ, "TIDEGATE_STUCK_SECONDS", 60.0, most=3600.0),
            latency_threshold_seconds=_threshold(environ),
            gpu=_whole(environ, "TIDEGATE_GPU_INDEX", 0, least=0),
            precision=_choice(environ, "TIDEGATE_PRECISION", "fp16", PRECISIONS),
            cuda_graphs=_choice(environ, "TIDEGATE_CUDA_GRAPHS", "1", ("0", "1")) == "1",
            scratch=Path(environ.get("TIDEGATE_SCRATCH", "/tmp/tidegate-model")),
            model_digest=environ.get("TIDEGATE_MODEL_DIGEST") or None,
            model_public_key=environ.get("TIDEGATE_MODEL_PUBLIC_KEY") or None,
            model_version=environ.get("TIDEGATE_MODEL_VERSION", "unknown"),
            metrics_log_seconds=_seconds(environ, "TIDEGATE_METRICS_LOG_SECONDS", 60.0, most=3600.0),
            metrics_dimensions=_pairs(environ, "TIDEGATE_METRICS_DIMENSIONS"),
            engine_cache=Path(environ.get("TIDEGATE_ENGINE_CACHE", "/tmp/tidegate-engines")),
            max_body_bytes=body,
            max_rows=rows,
            # Below the largest body, that body would be refused for ever.
            max_in_flight_bytes=_whole(environ, "TIDEGATE_MAX_IN_FLIGHT_BYTES", BODIES_IN_FLIGHT * body, least=body),
            drain_seconds=_seconds(environ, "TIDEGATE_DRAIN_SECONDS", 25.0, most=LONGEST_DRAIN),
            lame_duck_seconds=_seconds(environ, "TIDEGATE_LAME_DUCK_SECONDS", 0.5, most=LONGEST_DRAIN),
            log_level=_choice(environ, "TIDEGATE_LOG_LEVEL", "INFO", LOG_LEVELS),
            capture_sampling_percent=_percent(environ, "TIDEGATE_CAPTURE_SAMPLING_PERCENT"),
            capture_largest_bytes=_whole(
                environ, "TIDEGATE_CAPTURE_LARGEST_BYTES", 16 * KIBIBYTE, most=LARGEST_CAPTURE_BYTES
            ),
            capture_redacted_columns=_names(environ, "TIDEGATE_CAPTURE_REDACTED_COLUMNS"),
            capture_variant=environ.get("TIDEGATE_CAPTURE_VARIANT", ""),
        )


def default_threads(cores: int) -> int:
    """Return ONNX Runtime's threads per inference: all the cores but one, which reads and writes requests."""
    return max(cores - 1, 1)


def _whole(environ: Mapping[str, str], name: str, default: int, least: int = 1, most: int | None = None) -> int:
    text = environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= (int(text) if most is None else most):
        bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise SettingsError(f"{name} is {text!r}; allowed is a whole number {bounds}")
    return int(text)


def unknown_variables(environ: Mapping[str, str]) -> list[str]:
    """Return the variables that look like settings and are none: a misspelt one would do nothing, and say nothing."""
    asked: set[str] = set()

    class Asked(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return default

    Settings.from_environment(Asked())
    return sorted(name for name in environ if name.startswith("TIDEGATE_") and name not in asked)


def _port(environ: Mapping[str, str]) -> int:
    port = _whole(environ, "SAGEMAKER_BIND_TO_PORT", 8080, least=0)
    if port > MOST_PORTS:
        raise SettingsError(f"SAGEMAKER_BIND_TO_PORT is '{port}'; allowed is a port from 0 to {MOST_PORTS}")
    return port


def _seconds(environ: Mapping[str, str], name: str, default: float, most: float, least: float = 0.0) -> float:
    text = environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not least <= value <= most:
        raise SettingsError(f"{name} is {text!r}; allowed is a number of seconds from {least:g} to {most:g}")
    return value


def _percent(environ: Mapping[str, str], name: str) -> float:
    text = environ.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise SettingsError(f"{name} is {text!r}; allowed is a number from 0 (none) to 100 (all)")
    return value


def _names(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Read ``name,name``; a name that is empty would redact nothing where somebody meant something."""
    text = environ.get(name, "")
    names = tuple(part.strip() for part in text.split(",")) if text.strip() else ()
    if not all(names):
        raise SettingsError(f"{name} is {text!r}; allowed is a list of columns such as age,postcode")
    return names


def _threshold(environ: Mapping[str, str]) -> float | None:
    """Return the latency that is counted exactly, because a judge of the model asks for it; None for none."""
    name = "TIDEGATE_LATENCY_THRESHOLD_SECONDS"
    return _seconds(environ, name, 0.0, most=60.0) or None


def _pairs(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """Read ``Key=value,Key=value``."""
    text = environ.get(name, "")
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(key.strip() and value.strip() for key, _, value in pairs):
        raise SettingsError(f"{name} is {text!r}; allowed is a list such as Endpoint=rain,Variant=blue")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}; allowed is one of {', '.join(allowed)}")
    return value
