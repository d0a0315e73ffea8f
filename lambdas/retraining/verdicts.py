"""evaluation.json and checks.json, as the pipeline's steps write them. Pure; what is missing counts against."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

NOT_LOOKED_AT = "nobody has looked whether its labels look like the truth"
METRICS = ("accuracy", "auc", "brier", "precision", "recall", "f1")


class VerdictError(ValueError):
    """A file of the pipeline's that cannot be read; the text says which and why."""


@dataclass(frozen=True)
class Evaluation:
    """How challenger and champion did on the same held-out rows; the digest is that of the challenger's archive."""

    better: bool
    reasons: tuple[str, ...]
    gain: float
    least_gain: float | None
    p_value: float | None
    signature_change: bool
    rows: int
    champion: Mapping[str, Any]
    challenger: Mapping[str, Any]
    slices: Sequence[Mapping[str, Any]] = ()
    differences: Sequence[Any] = ()
    first: str = ""
    last: str = ""
    archive_sha256: str = ""

    @property
    def numbers(self) -> dict[str, Any]:
        """What it measured, for events and lists."""
        return {
            "champion": _metrics(self.champion),
            "challenger": _metrics(self.challenger),
            "gain": self.gain,
            "least_gain": self.least_gain,
            "p_value": self.p_value,
            "rows": self.rows,
        }


@dataclass(frozen=True)
class Checks:
    """Whether the challenger is calibrated, and no slice pays for what others gain; why its labels may be wrong."""

    passed: bool
    reasons: tuple[str, ...] = field(default=())
    doubts: tuple[str, ...] = field(default=())


def read_evaluation(content: bytes) -> Evaluation:
    """Read evaluation.json.

    Raises
    ------
    VerdictError
        When it cannot be read.
    """
    data = _object(content, "evaluation.json")
    heldout, test, signature = (_part(data, name) for name in ("heldout", "mcnemar", "signature"))
    return Evaluation(
        better=data.get("better") is True,
        reasons=_reasons(data),
        gain=_number(data.get("gain")) or 0.0,
        least_gain=_number(data.get("least_gain")),
        p_value=_number(test.get("p_value", data.get("p_value"))),
        signature_change=data.get("signature_change") is not False,
        rows=int(_number(heldout.get("rows", data.get("rows"))) or 0),
        champion=_part(data, "champion"),
        challenger=_part(data, "challenger"),
        slices=[each for each in data.get("slices") or () if isinstance(each, Mapping)],
        differences=signature.get("differences") or (),
        first=str(heldout.get("first") or ""),
        last=str(heldout.get("last") or ""),
        archive_sha256=str(_part(data, "archives").get("challenger") or ""),
    )


def read_checks(content: bytes) -> Checks:
    """Read checks.json.

    Raises
    ------
    VerdictError
        When it cannot be read.
    """
    data = _object(content, "checks.json")
    return Checks(data.get("passed") is True, _reasons(data), read_doubts(data))


def read_doubts(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what speaks against the labels; that nothing is said of them speaks against them too."""
    found = data.get("doubts")
    return tuple(str(each) for each in found) if isinstance(found, list) else (NOT_LOOKED_AT,)


def _object(content: bytes, name: str) -> dict[str, Any]:
    try:
        data = json.loads(content)
    except ValueError as error:
        raise VerdictError(f"{name} is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise VerdictError(f"{name} is no JSON object")
    return data


def _reasons(data: Mapping[str, Any]) -> tuple[str, ...]:
    found = data.get("reasons") or data.get("findings") or [data.get("reason") or ""]
    return tuple(str(each) for each in found if each)


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = data.get(name)
    return part if isinstance(part, Mapping) else {}


def _metrics(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in METRICS if _number(found.get(name)) is not None}


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None
