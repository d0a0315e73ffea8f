"""What is found wrong with the data of a retraining: the same form as the drift monitor's findings."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

EMPTY = "empty_window"
MALFORMED = "malformed_records"
SCHEMA_CHANGE = "schema_change"
MISSING = "missing_values"
NOT_FINITE = "not_finite"
UNKNOWN_LABELS = "unknown_labels"
MALFORMED_LABELS = "malformed_labels"
LABEL_VALUES = "label_values"
TOO_FEW_ROWS = "too_few_rows"


@dataclass(frozen=True)
class Finding:
    """Something found.

    Parameters
    ----------
    kind
        One of the names above; reports and messages carry it.
    severity
        ``severe`` ends the retraining, ``info`` is reported.
    subject
        The column, or what else it is about.
    text
        What was found and, where it ends the retraining, what to do.
    numbers
        What the text says, for programs.
    """

    kind: str
    severity: Literal["info", "severe"]
    subject: str
    text: str
    numbers: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        return asdict(self)


def message(findings: Sequence[Finding]) -> str:
    """Return the severe findings in one text, each by its name."""
    severe = [f"{each.kind}: {each.text}" for each in findings if each.severity == "severe"]
    return f"the data are not fit to train on; {'; '.join(severe)}"
