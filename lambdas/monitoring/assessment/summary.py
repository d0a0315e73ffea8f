"""What is remembered of a window: enough to say since when something has been so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lambdas.monitoring.assessment.finding import Severity

_UNJUDGED = (Severity.SUSPECT, Severity.UNDECIDED)


@dataclass(frozen=True)
class Summary:
    """A window that was assessed.

    Parameters
    ----------
    window, start
        Its id, and its start (ISO 8601, UTC).
    severity
        Of the window.
    rows
        How many it had.
    drifted, severe
        Features.
    psi, output_psi
        Of each feature, and of each output, less its mean under no change.
    model_version, baseline_id
        What it was compared with.
    accuracy, estimated_accuracy
        None where unknown.
    kinds
        ``kind subject`` of each finding that was more than info.
    """

    window: str
    start: str
    severity: Severity
    rows: int
    drifted: tuple[str, ...] = ()
    severe: tuple[str, ...] = ()
    psi: Mapping[str, float] = field(default_factory=dict)
    output_psi: Mapping[str, float] = field(default_factory=dict)
    model_version: str = ""
    baseline_id: str = ""
    accuracy: float | None = None
    estimated_accuracy: float | None = None
    kinds: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it in plain form."""
        return {
            "window": self.window,
            "start": self.start,
            "severity": str(self.severity),
            "rows": self.rows,
            "drifted": list(self.drifted),
            "severe": list(self.severe),
            "psi": dict(self.psi),
            "output_psi": dict(self.output_psi),
            "model_version": self.model_version,
            "baseline_id": self.baseline_id,
            "accuracy": self.accuracy,
            "estimated_accuracy": self.estimated_accuracy,
            "kinds": list(self.kinds),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Summary":
        """Read it from its plain form."""
        return cls(
            window=data["window"],
            start=data["start"],
            severity=Severity(data["severity"]),
            rows=int(data["rows"]),
            drifted=tuple(data.get("drifted", ())),
            severe=tuple(data.get("severe", ())),
            psi=dict(data.get("psi", {})),
            output_psi=dict(data.get("output_psi", {})),
            model_version=data.get("model_version", ""),
            baseline_id=data.get("baseline_id", ""),
            accuracy=data.get("accuracy"),
            estimated_accuracy=data.get("estimated_accuracy"),
            kinds=tuple(data.get("kinds", ())),
        )


@dataclass(frozen=True)
class Since:
    """Since when something has been so.

    Parameters
    ----------
    start
        Of the first window of the run (ISO 8601, UTC).
    windows
        How many judged windows the run has, the present one among them.
    at_least
        Whether the run reaches back to the first window that is remembered, and so may be longer.
    """

    start: str
    windows: int
    at_least: bool = False

    def __str__(self) -> str:
        """Say it as people write it."""
        at = self.start.replace("T", " ").removesuffix("Z")[:16]
        if self.windows == 1:
            return f"First seen in this window ({at} UTC)."
        return f"Since {'at least ' if self.at_least else ''}{at} UTC ({self.windows} windows in a row)."


def since(name: str, start: str, baseline_id: str, history: Sequence[Summary]) -> Since:
    """Return since when a feature has drifted, given that it has in the window that begins at `start`.

    Windows that were not judged (suspect, undecided) neither end a run nor count in it. Another baseline ends it:
    before that, "drifted" meant something else.

    Parameters
    ----------
    history
        Earlier windows, in any order.
    """
    first, windows = start, 1
    earlier = sorted((one for one in history if one.start < start), key=lambda one: one.start, reverse=True)
    for one in earlier:
        if one.baseline_id != baseline_id:
            return Since(first, windows)
        if one.severity in _UNJUDGED:
            continue
        if name not in one.drifted:
            return Since(first, windows)
        first, windows = one.start, windows + 1
    return Since(first, windows, at_least=bool(earlier) and windows > 1)
