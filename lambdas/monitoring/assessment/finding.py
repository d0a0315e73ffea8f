"""What was found in a window, in numbers and in words for whoever is called at night."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a finding is, or a window as a whole."""

    NONE = "none"
    INFO = "info"
    MODERATE = "moderate"
    SEVERE = "severe"
    UNDECIDED = "undecided"
    """Of a window: there is too little to conclude anything."""
    SUSPECT = "suspect"
    """Of a window: its data are broken rather than drifted. People are told; nothing is retrained on its account."""


class Kind(StrEnum):
    """What kind of thing was found. The names are API: events, metrics and rules go by them."""

    DATA_DRIFT = "data_drift"
    PREDICTION_DRIFT = "prediction_drift"
    CONFIDENCE_DRIFT = "confidence_drift"
    JOINT_DRIFT = "joint_drift"
    MISSING_VALUES = "missing_values"
    NOT_FINITE = "not_finite"
    UNSEEN_CATEGORIES = "unseen_categories"
    SCHEMA_CHANGE = "schema_change"
    MALFORMED_RECORDS = "malformed_records"
    EMPTY_WINDOW = "empty_window"
    VOLUME = "volume"
    TOO_FEW_ROWS = "too_few_rows"
    ESTIMATED_ACCURACY = "estimated_accuracy"
    ACCURACY = "accuracy"
    SLICE_ACCURACY = "slice_accuracy"
    UNKNOWN_LABELS = "unknown_labels"
    STALE_BASELINE = "stale_baseline"
    NO_BASELINE = "no_baseline"
    LATE_RECORDS = "late_records"
    VERSION_CHANGED = "version_changed"
    COUNTING_FAILED = "counting_failed"
    WINDOW_GIVEN_UP = "window_given_up"


_BADNESS = (Severity.NONE, Severity.INFO, Severity.MODERATE, Severity.SEVERE, Severity.UNDECIDED, Severity.SUSPECT)


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    kind
        What kind of thing.
    severity
        ``info``, ``moderate`` or ``severe``.
    subject
        The column, output, slice or thing that it is about.
    text
        What is the case, beside what was expected.
    next_step
        What to do about it; empty where there is nothing to do.
    numbers
        The same in numbers.
    makes
        What it makes of the whole window: `suspect`, `undecided`, or nothing of the kind.
    """

    kind: Kind
    severity: Severity
    subject: str
    text: str
    next_step: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    makes: Severity = Severity.NONE

    def as_info(self, why: str) -> "Finding":
        """Return it as something to know rather than to act upon, because of `why`."""
        return replace(self, severity=Severity.INFO, next_step=why)

    def to_json(self) -> dict[str, Any]:
        """Return it in plain form."""
        return {
            "kind": str(self.kind),
            "severity": str(self.severity),
            "subject": self.subject,
            "text": self.text,
            "next_step": self.next_step,
            "numbers": dict(self.numbers),
            "makes": str(self.makes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Finding":
        """Read it from its plain form."""
        return cls(
            kind=Kind(data["kind"]),
            severity=Severity(data["severity"]),
            subject=data["subject"],
            text=data["text"],
            next_step=data.get("next_step", ""),
            numbers=data.get("numbers", {}),
            makes=Severity(data.get("makes", Severity.NONE)),
        )


def badness(severity: Severity) -> int:
    """Return a severity's place in their order."""
    return _BADNESS.index(severity)


def worst(findings: list[Finding]) -> Severity:
    """Return what findings make of a window: suspect beats undecided beats severe; what is only info makes nothing."""
    said = [finding.makes for finding in findings]
    said += [finding.severity for finding in findings if finding.severity is not Severity.INFO]
    return max(said, key=badness, default=Severity.NONE)
