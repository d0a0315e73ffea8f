"""Versions that retraining registered and left to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.contract import PACKAGE_PENDING
from tidegate import registry
from tidegate.aws import Aws
from tidegate.retraining import Entry, Run
from tidegate.settings import EndpointSettings

WAITS = "It waits for a person: "
_APPROVAL = "approval"


@dataclass(frozen=True)
class Waiting:
    """A registered version that a person has to approve or reject.

    Parameters
    ----------
    run, version
        What was registered, and by which run.
    why
        Why it was not approved by rule, in words.
    command
        What approves it.
    """

    run: str
    version: str
    why: str
    command: str

    def __str__(self) -> str:
        return f"{self.version}, which the run {self.run} registered: {WAITS}{self.why}"


def waiting(aws: Aws, endpoint: EndpointSettings, runs: Sequence[Run], trail: Sequence[Entry]) -> list[Waiting]:
    """Return what was left to a person and is not decided on yet, in the order of time."""
    latest = {entry.run: entry for entry in trail if entry.kind == _APPROVAL}
    left = [entry for entry in latest.values() if entry.numbers.get("status") == PACKAGE_PENDING]
    versions = {run.id: run.version for run in runs if run.version}
    left = sorted((entry for entry in left if entry.run in versions), key=lambda entry: entry.at)
    if not left:
        return []
    # Of two packages of one version the newer counts, as it does for `approve`.
    approvals = {package.version: package.approval for package in registry.packages(aws, endpoint.name)}
    return [
        Waiting(entry.run, version, _why(entry), endpoint.command(f"approve --version {version}"))
        for entry in left
        if approvals.get(version := versions[entry.run]) == PACKAGE_PENDING
    ]


def _why(entry: Entry) -> str:
    return entry.text.rpartition(WAITS)[2]
