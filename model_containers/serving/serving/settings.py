"""What the environment says about how to serve."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEVICES = ("auto", "gpu", "cpu")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MEBIBYTE = 1024 * 1024
BODIES_IN_FLIGHT = 4
"""How many of the largest bodies may be in flight at once, unless told otherwise."""


class SettingsError(Exception):
    """An environment variable has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve; `from_environment` names the variable behind each field."""

    port: int = 8080
    model_dir: Path = Path("/opt/ml/model")
    device: str = "auto"
    intra_op_threads: int = 1
    workers: int = 1
    max_body_bytes: int = 25 * MEBIBYTE
    max_rows: int = 10_000
    max_in_flight: int = 512
    max_in_flight_bytes: int = BODIES_IN_FLIGHT * 25 * MEBIBYTE
    drain_seconds: float = 25.0
    lame_duck_seconds: float = 0.5
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings.

        Raises
        ------
        SettingsError
            Naming the variable, its value and what is allowed.
        """
        body = _whole(environ, "TIDEGATE_MAX_BODY_BYTES", 25 * MEBIBYTE)
        return cls(
            port=_whole(environ, "SAGEMAKER_BIND_TO_PORT", 8080, least=0),
            model_dir=Path(environ.get("SM_MODEL_DIR", "/opt/ml/model")),
            device=_choice(environ, "TIDEGATE_DEVICE", "auto", DEVICES),
            intra_op_threads=_whole(environ, "TIDEGATE_INTRA_OP_THREADS", default_threads(os.cpu_count() or 1)),
            workers=_whole(environ, "TIDEGATE_WORKERS", 1),
            max_body_bytes=body,
            max_rows=_whole(environ, "TIDEGATE_MAX_ROWS", 10_000),
            max_in_flight=_whole(environ, "TIDEGATE_MAX_IN_FLIGHT", 512),
            # Below the largest body, that body would be refused for ever.
            max_in_flight_bytes=_whole(environ, "TIDEGATE_MAX_IN_FLIGHT_BYTES", BODIES_IN_FLIGHT * body, least=body),
            drain_seconds=_seconds(environ, "TIDEGATE_DRAIN_SECONDS", 25.0),
            lame_duck_seconds=_seconds(environ, "TIDEGATE_LAME_DUCK_SECONDS", 0.5),
            log_level=_choice(environ, "TIDEGATE_LOG_LEVEL", "INFO", LOG_LEVELS),
        )


def default_threads(cores: int) -> int:
    """Return ONNX Runtime's threads per inference: one on a small machine, half the cores on a large one."""
    return 1 if cores <= 4 else cores // 2


def _whole(environ: Mapping[str, str], name: str, default: int, least: int = 1) -> int:
    text = environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise SettingsError(f"{name} is {text!r}; allowed is a whole number of at least {least}")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    # SageMaker kills the container 30 s after SIGTERM: to drain for longer is to be cut off.
    if not 0 <= value <= 29:
        raise SettingsError(f"{name} is {text!r}; allowed is a number of seconds from 0 to 29")
    return value


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = environ.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} is {value!r}; allowed is one of {', '.join(allowed)}")
    return value
