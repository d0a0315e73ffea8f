"""What was concluded about a window: the file `assessment.json`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.monitoring.assessment.features import FeatureDrift
from lambdas.monitoring.assessment.finding import Finding, Severity
from lambdas.monitoring.assessment.summary import Summary


@dataclass(frozen=True)
class Assessment:
    """A window, judged.

    Parameters
    ----------
    endpoint, window, start, end
        Which; times are ISO 8601 UTC, and the window's id is its start to the minute.
    model_version, baseline_id
        What it was compared with; empty where there is no baseline.
    severity
        ``none``, ``moderate``, ``severe``; ``suspect`` where the data are broken, ``undecided`` where there are too
        few. The latter two say nothing about drift, whatever the numbers are: `drifted` and `severe` are then empty.
    drifted, severe
        Features that have drifted at all, and severely.
    findings
        Everything that was found, the worst first.
    features, outputs
        How far each column, and each output and the model's confidence, is from the baseline.
    performance
        ``estimated``, ``measured`` and ``reference`` quality, with intervals.
    rows, rows_needed
        Rows of the window; and how many it takes to find a ``moderate`` and a ``severe`` drift, None for never.
    """

    endpoint: str
    window: str
    start: str
    end: str
    model_version: str
    baseline_id: str
    severity: Severity
    drifted: tuple[str, ...]
    severe: tuple[str, ...]
    findings: tuple[Finding, ...]
    features: Mapping[str, FeatureDrift]
    outputs: Mapping[str, FeatureDrift]
    performance: Mapping[str, Any]
    rows: int
    rows_needed: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def accuracy(self) -> float | None:
        """Measured accuracy; None without labels."""
        return _value(self.performance, "measured")

    @property
    def estimated_accuracy(self) -> float | None:
        """Estimated accuracy; None without calibrated probabilities."""
        return _value(self.performance, "estimated")

    def summary(self) -> Summary:
        """Return what is remembered of the window."""
        return Summary(
            window=self.window,
            start=self.start,
            severity=self.severity,
            rows=self.rows,
            drifted=self.drifted,
            severe=self.severe,
            psi={name: drift.psi for name, drift in self.features.items()},
            output_psi={name: drift.psi for name, drift in self.outputs.items()},
            model_version=self.model_version,
            baseline_id=self.baseline_id,
            accuracy=self.accuracy,
            estimated_accuracy=self.estimated_accuracy,
            kinds=tuple(f"{one.kind} {one.subject}" for one in self.findings if one.severity is not Severity.INFO),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it in plain form."""
        return {
            "endpoint": self.endpoint,
            "window": self.window,
            "start": self.start,
            "end": self.end,
            "model_version": self.model_version,
            "baseline_id": self.baseline_id,
            "severity": str(self.severity),
            "drifted": list(self.drifted),
            "severe": list(self.severe),
            "findings": [finding.to_json() for finding in self.findings],
            "features": {name: drift.to_json() for name, drift in self.features.items()},
            "outputs": {name: drift.to_json() for name, drift in self.outputs.items()},
            "performance": dict(self.performance),
            "rows": self.rows,
            "rows_needed": dict(self.rows_needed),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Assessment":
        """Read it from its plain form."""
        return cls(
            endpoint=data["endpoint"],
            window=data["window"],
            start=data["start"],
            end=data["end"],
            model_version=data["model_version"],
            baseline_id=data["baseline_id"],
            severity=Severity(data["severity"]),
            drifted=tuple(data["drifted"]),
            severe=tuple(data["severe"]),
            findings=tuple(Finding.from_json(finding) for finding in data["findings"]),
            features={name: FeatureDrift.from_json(name, drift) for name, drift in data["features"].items()},
            outputs={name: FeatureDrift.from_json(name, drift) for name, drift in data["outputs"].items()},
            performance=data["performance"],
            rows=data["rows"],
            rows_needed=data["rows_needed"],
        )


def _value(performance: Mapping[str, Any], which: str) -> float | None:
    found = performance.get(which, {}).get("accuracy")
    return found["value"] if found else None
