"""Which versions are let go, and letting them go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from lambdas.contract import PACKAGE_REJECTED
from tidegate import views
from tidegate.aws import Aws
from tidegate.aws_errors import FAILURES, in_words
from tidegate.errors import OperatorError
from tidegate.models import record as registered
from tidegate.models import standing as standings
from tidegate.models.record import ARCHIVED, Record
from tidegate.models.standing import Standing, holding
from tidegate.settings import EndpointSettings

KEEP, ARCHIVE, ALREADY, LOST = "keep", "archive", "archived already", "failed"
STATUS = "Deprecated"
"""StageStatus of what is archived; SageMaker wants one with every stage."""

_DAY = 86_400.0
_LONGEST_REASON = 1024


@dataclass(frozen=True)
class Policy:
    """Which versions stay: the newest, and those that have not been registered for long.

    Parameters
    ----------
    keep
        So many of the newest that are not archived.
    older_than_days
        Only what was registered longer ago is archived.
    """

    keep: int
    older_than_days: float


@dataclass(frozen=True)
class Verdict:
    """What is to become of a version, or has: ``keep``, ``archive``, ``archived already`` or ``failed``, and why."""

    record: Record
    action: str
    reason: str


def judge(records: Sequence[Record], standing: Standing, policy: Policy, now: float) -> list[Verdict]:
    """Return what is to become of each version, the newest first. Pure.

    Parameters
    ----------
    records
        Every version of the group.
    standing
        What the engine and retraining have to do with them.
    policy
        Which stay.
    now
        Epoch seconds.
    """
    newest = sorted(records, key=lambda record: record.package.number, reverse=True)
    places = {each.package.arn: place for place, each in enumerate((r for r in newest if not r.archived), start=1)}
    return [_judge(record, standing, policy, places.get(record.package.arn, 0), now) for record in newest]


def _judge(record: Record, standing: Standing, policy: Policy, place: int, now: float) -> Verdict:
    if record.archived:
        return Verdict(record, ALREADY, record.stage_description or "it was archived before")
    held = holding(record, standing)
    if held:
        return Verdict(record, KEEP, "; ".join(mark.text for mark in held))
    if place <= policy.keep:
        return Verdict(record, KEEP, f"it is one of the {policy.keep} newest")
    age = now - record.package.created_at.timestamp()
    if age < policy.older_than_days * _DAY:
        return Verdict(
            record, KEEP, f"it was registered {views.duration(age)} ago, and {policy.older_than_days:g} d is the age"
        )
    return Verdict(
        record, ARCHIVE, f"number {place} of the newest, registered {views.duration(age)} ago, and nothing holds it"
    )


def known(standing: Standing, endpoint: EndpointSettings) -> Standing:
    """Return what is recorded.

    Raises
    ------
    OperatorError
        When the engine has recorded nothing: then it is not known what may be let go.
    """
    if standing.rollouts is None:
        raise OperatorError(
            f"nothing is recorded of {endpoint.name}, so that it is not known what is in use; nothing is archived",
            "is its deployment over? look at it: " + endpoint.command("status"),
        )
    return standing


class Archiver:
    """Archives versions, each after looking once more whether anything holds it.

    SageMaker takes no condition with a change. What is approved in the instant between that look and the change is
    rejected; the engine then does not start its rollout.

    Parameters
    ----------
    aws, endpoint
        Where.
    by
        Who wants it.
    now
        Returns the time, in epoch seconds.
    """

    def __init__(self, aws: Aws, endpoint: EndpointSettings, by: str, now: Callable[[], float]) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._by = by
        self._now = now

    def carry_out(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Archive what is to be archived; return what became of each version."""
        return [self._archive(each) if each.action == ARCHIVE else each for each in verdicts]

    def _archive(self, verdict: Verdict) -> Verdict:
        try:
            fresh = registered.describe(self._aws, verdict.record.package.arn)
            held = holding(fresh, known(standings.load(self._aws, self._endpoint), self._endpoint))
            if held or fresh.archived:
                reason = "; ".join(mark.text for mark in held) or fresh.stage_description
                return Verdict(fresh, KEEP if held else ALREADY, f"meanwhile: {reason}")
            if fresh.package.approval != verdict.record.package.approval:
                return Verdict(fresh, KEEP, f"meanwhile: somebody has made it {fresh.package.approval}")
            self._aws.sagemaker.update_model_package(**self._request(fresh, verdict.reason))
        except FAILURES as error:
            return replace(verdict, action=LOST, reason=in_words(error))
        return verdict

    def _request(self, record: Record, reason: str) -> dict[str, Any]:
        at = f"{datetime.fromtimestamp(self._now(), UTC):%Y-%m-%d}"
        text = f"archived by {self._by} on {at}: {reason}"[:_LONGEST_REASON]
        cycle = {"Stage": ARCHIVED, "StageStatus": STATUS, "StageDescription": text}
        request: dict[str, Any] = {"ModelPackageArn": record.package.arn, "ModelLifeCycle": cycle}
        if record.package.approval != PACKAGE_REJECTED:
            # Why somebody rejected it before stays as it is.
            request |= {"ModelApprovalStatus": PACKAGE_REJECTED, "ApprovalDescription": text}
        return request
