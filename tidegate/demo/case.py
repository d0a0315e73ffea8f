"""What the criteria look at, and what each comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.demo.observations import Observations, Request
from tidegate.demo.timeline import VersionTimeline
from tidegate.demo.verdicts import Verdict

PROMOTED = "PROMOTED"
ROLLED_BACK = "ROLLED_BACK"


@dataclass(frozen=True)
class Check:
    """One criterion."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Expectation:
    """What the demo is meant to show.

    Parameters
    ----------
    good
        The version that is promoted, though some of its requests are failed on purpose.
    bad
        The one that fails and is slow, and is rolled back for that.
    wrong
        The one that neither fails nor is slow, and is rolled back for what it answers.
    steps
        The weights of the policy.
    """

    good: str
    bad: str
    wrong: str
    steps: Sequence[float]


@dataclass(frozen=True)
class Case:
    """All that the criteria look at."""

    seen: Observations
    timeline: VersionTimeline
    verdicts: Sequence[Verdict]
    expected: Expectation

    def verdict(self, version: str) -> Verdict | None:
        """Return what became of a version."""
        return next((verdict for verdict in self.verdicts if verdict.version == version), None)

    def version(self, request: Request) -> str:
        """Return the version that answered a request."""
        return self.timeline.of(request)


def outcome(case: Case, version: str, wanted: str) -> Check:
    """Judge how a version's rollout ended."""
    verdict = case.verdict(version)
    ended = verdict.outcome if verdict else "never approved"
    return Check(f"{version} ends {wanted}", ended == wanted, f"it ended {ended}")
