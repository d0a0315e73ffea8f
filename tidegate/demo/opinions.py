"""What the judge said of a version, by the engine's audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidegate.rollouts import AuditEntry

VERDICT, HOLD = "verdict", "hold"
PROMOTE, ROLLBACK = "promote", "rollback"
ERRORS, LATENCY, ANSWERS = "5xx", "latency", "answers"

_WAITS = "without more evidence: "
"""What the engine's sentence about a step that waits for the judge contains; other holds are not the judge's."""


@dataclass(frozen=True)
class Finding:
    """What the judge found about one metric: bad ones out of all of the new version's, and the evidence (as logs)."""

    bad: int
    of: int
    harm: float
    assurance: float
    text: str


@dataclass(frozen=True)
class Opinion:
    """What the judge said at a moment; without a verdict it waits for more evidence."""

    at: float
    text: str
    verdict: str = ""
    findings: Mapping[str, Finding] = field(default_factory=dict)


def opinions_of(audit: Sequence[AuditEntry], rollout: str) -> tuple[Opinion, ...]:
    """Return all that the judge said of a rollout, in the order of time."""
    return tuple(_opinions(entry for entry in audit if entry.rollout == rollout))


def _opinions(entries: Iterator[AuditEntry]) -> Iterator[Opinion]:
    for entry in entries:
        at = datetime.fromisoformat(entry.at).timestamp()
        if entry.kind == VERDICT:
            found = {str(each["metric"]): _finding(each) for each in entry.numbers.get("findings", ())}
            yield Opinion(at, entry.text, str(entry.numbers.get("verdict", "")), found)
        elif entry.kind == HOLD and _WAITS in entry.text:
            yield Opinion(at, entry.text)


def _finding(numbers: Mapping[str, Any]) -> Finding:
    bad, of = numbers["new"]
    return Finding(int(bad), int(of), float(numbers["log_harm"]), float(numbers["log_assurance"]), str(numbers["text"]))
