"""What became of each rollout of the demo, pieced together from the observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from lambdas import contract
from tidegate.demo.observations import AlarmSighting, Approval, Observations, Request, Sighting
from tidegate.demo.opinions import Opinion, opinions_of
from tidegate.demo.timeline import VersionTimeline
from tidegate.rollouts import AuditEntry, Rollout

NOT_SEEN = "NOT_SEEN"
"""Outcome of an approval that no rollout followed."""


@dataclass(frozen=True)
class Verdict:
    """One approved version's rollout as it was seen from outside.

    Parameters
    ----------
    approved_at
        When the demo approved it.
    ended_at
        When the engine said that it had ended, or the end of the run.
    weights
        The canary's weight each time it was seen to have changed.
    alarm_at
        When CloudWatch says that the canary's composite alarm went off.
    aborted_at
        When the engine noted that it gives the rollout up, and `abort_reason`, in its words, why.
    zero_weight_at
        When the canary's weight, until then above zero, was first seen to be zero after the earlier of these two.
    opinions
        What the judge said of it.
    sightings
        What was seen of the endpoint from the approval to the next one.
    requests
        All requests sent in its course; `canary` are those that this version answered.
    """

    version: str
    slot: str
    outcome: str
    reason: str
    approved_at: float
    ended_at: float
    weights: tuple[tuple[float, float], ...]
    alarm_at: float | None = None
    aborted_at: float | None = None
    abort_reason: str = ""
    zero_weight_at: float | None = None
    opinions: tuple[Opinion, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    requests: tuple[Request, ...] = ()
    canary: tuple[Request, ...] = ()

    @property
    def trigger_at(self) -> float | None:
        """The earlier of the alarm and the abort: the engine may count the errors before the alarm goes off."""
        return min((at for at in (self.alarm_at, self.aborted_at) if at is not None), default=None)

    @property
    def to_zero(self) -> float | None:
        """Seconds from the alarm or the abort, whichever came first, to no weight."""
        if self.trigger_at is None or self.zero_weight_at is None:
            return None
        return self.zero_weight_at - self.trigger_at

    def said(self, verdict: str) -> Opinion | None:
        """Return when the judge first came to a verdict."""
        return next((opinion for opinion in self.opinions if opinion.verdict == verdict), None)


def verdicts(seen: Observations, timeline: VersionTimeline) -> list[Verdict]:
    """Return what became of each approval, in the order in which they were given."""
    ends = [approval.at for approval in seen.approvals[1:]] + [seen.ended]
    return [_verdict(seen, timeline, approval, end) for approval, end in zip(seen.approvals, ends, strict=True)]


def _verdict(seen: Observations, timeline: VersionTimeline, approval: Approval, horizon: float) -> Verdict:
    rollout = _rollout_of(seen, approval, horizon)
    if rollout is None:
        return Verdict(approval.version, "", NOT_SEEN, "no rollout started", approval.at, horizon, ())
    # The next version may get the same slot.
    sightings = tuple(sighting for sighting in seen.sightings if approval.at <= sighting.asked <= horizon)
    ended = epoch(rollout.ended_at) if rollout.ended_at else horizon
    return _seen_verdict(replace(seen, sightings=list(sightings)), timeline, approval, rollout, ended)


def _seen_verdict(
    seen: Observations, timeline: VersionTimeline, approval: Approval, rollout: Rollout, ended: float
) -> Verdict:
    alarm_at = _alarm_at(seen.alarms, contract.unhealthy_alarm(seen.endpoint, rollout.slot), approval.at, ended)
    abort = _abort(seen.audit, rollout)
    course = [request for request in seen.requests if approval.at <= request.due <= ended]
    verdict = Verdict(
        version=approval.version,
        slot=rollout.slot,
        outcome=rollout.outcome or rollout.phase,
        reason=rollout.reason or _last_words(seen, rollout),
        approved_at=approval.at,
        ended_at=ended,
        weights=tuple(_weights(seen.sightings, rollout.slot, timeline, approval, ended)),
        alarm_at=alarm_at,
        aborted_at=epoch(abort.at) if abort else None,
        # "Rolling back <version> on <endpoint>: <reason>. It had ..."
        abort_reason=abort.text.partition(": ")[2].partition(". It had ")[0] if abort else "",
        opinions=opinions_of(seen.audit, rollout.id),
        sightings=tuple(seen.sightings),
        requests=tuple(course),
        canary=tuple(request for request in course if timeline.of(request) == approval.version),
    )
    return replace(verdict, zero_weight_at=_zero_weight_at(verdict))


def epoch(iso: str) -> float:
    """Return an ISO time as epoch seconds."""
    return datetime.fromisoformat(iso).timestamp()


def _rollout_of(seen: Observations, approval: Approval, horizon: float) -> Rollout | None:
    for rollout in seen.rollouts:
        # The engine's clock reads whole seconds at worst.
        if rollout.version == approval.version and approval.at - 1 <= epoch(rollout.started_at) <= horizon:
            return rollout
    return None


def _last_words(seen: Observations, rollout: Rollout) -> str:
    # A rollout that went well has no reason of its own; its trail says how it ended.
    return next((entry.text for entry in seen.audit if (entry.rollout, entry.phase) == (rollout.id, rollout.phase)), "")


def _alarm_at(alarms: Sequence[AlarmSighting], name: str, since: float, until: float) -> float | None:
    going_off = (seen.since for seen in alarms if seen.name == name and seen.state == "ALARM")
    return next((at for at in going_off if since <= at <= until), None)


def _abort(audit: Sequence[AuditEntry], rollout: Rollout) -> AuditEntry | None:
    return next((entry for entry in audit if (entry.rollout, entry.kind) == (rollout.id, "abort")), None)


def _zero_weight_at(verdict: Verdict) -> float | None:
    since, slot = verdict.trigger_at, verdict.slot
    if since is None:
        return None
    fell = (now for last, now in pairwise(verdict.sightings) if last.weights.get(slot) and not now.weights.get(slot))
    # The answer's own time is the later bound of when it was true.
    return next((now.at for now in fell if now.asked >= since), None)


def _weights(
    sightings: Sequence[Sighting], slot: str, timeline: VersionTimeline, approval: Approval, ended: float
) -> list[tuple[float, float]]:
    changes: list[tuple[float, float]] = []
    for seen in sightings:
        # The last sighting may come just after the engine's own note of the end.
        if not approval.at <= seen.asked <= ended + 1 or timeline.version(slot, seen.at) != approval.version:
            continue
        weight = seen.weights.get(slot, 0.0)
        if not changes or changes[-1][1] != weight:
            changes.append((seen.at, weight))
    return changes
