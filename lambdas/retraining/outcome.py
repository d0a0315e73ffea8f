"""outcome.json: what the pipeline's last step writes, and the controller reads."""

import json
import math
from collections.abc import Mapping
from typing import Any

from lambdas.retraining.said import Conclusion
from lambdas.retraining.state import Outcome
from lambdas.retraining.verdicts import read_doubts

SCHEMA = 1
CHAMPION_NAME = "champion.json"
"""Beside it, with the key of the version that the challenger is compared with."""

_CONCLUDED = (Outcome.REGISTERED, Outcome.KEPT, Outcome.REFUSED)


class OutcomeError(ValueError):
    """An outcome that cannot be read; the text says why."""


def write_outcome(run: str, found: Conclusion) -> bytes:
    """Return the file's content."""
    fields = {**vars(found), "numbers": dict(found.numbers)}
    return json.dumps({"schema": SCHEMA, "run": run, **fields}, indent=1, sort_keys=True).encode()


def write_champion(key: str) -> bytes:
    """Return champion.json's content."""
    return json.dumps({"schema": SCHEMA, "key": key}).encode()


def read_champion(content: bytes) -> str:
    """Return the key in champion.json; empty when there is none, which is the key of no version."""
    try:
        return str(json.loads(content)["key"])
    except (KeyError, TypeError, ValueError):
        return ""


def read_outcome(content: bytes, run: str) -> Conclusion:
    """Read the file; what is left out counts against the challenger.

    Raises
    ------
    OutcomeError
        When it is none, or another run's.
    """
    try:
        data = json.loads(content)
        if data["schema"] != SCHEMA or data["run"] != run:
            raise OutcomeError(f"outcome.json is of schema {data['schema']} and the run {data['run']}, not {run}")
        outcome = Outcome(data["outcome"])
        if outcome not in _CONCLUDED or (outcome is Outcome.REGISTERED and not data.get("package_arn")):
            raise OutcomeError(f"outcome.json says {outcome.value}, and names no package")
        return Conclusion(
            outcome=outcome.value,
            reason=str(data.get("reason", "")),
            package_arn=data.get("package_arn"),
            version=str(data.get("version") or ""),
            better=data.get("better") is True,
            checks_passed=data.get("checks_passed") is True,
            signature_change=data.get("signature_change") is not False,
            gain=_number(data.get("gain")) or 0.0,
            p_value=_number(data.get("p_value")),
            doubts=read_doubts(data),
            numbers=_numbers(data.get("numbers")),
        )
    except OutcomeError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OutcomeError(f"outcome.json cannot be read: {type(error).__name__}: {error}") from error


def _number(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if usable else None


def _numbers(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
