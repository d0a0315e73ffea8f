"""The criteria of the loop: each passes or fails on what was seen, and says by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tidegate.demo.case import PROMOTED, Check
from tidegate.demo.loop.seen import LoopSeen
from tidegate.demo.loop.stream import DRIFT_ROW, row_of
from tidegate.demo.observations import Request
from tidegate.demo.timeline import VersionTimeline
from tidegate.demo.verdicts import epoch
from tidegate.drift import Window
from tidegate.retraining import Run
from tidegate.rollouts import Rollout

LEAST_CALM_WINDOWS = 1
LEAST_RECOVERED = 0.05
"""By how much accuracy must rise again over what the old version did in the drift."""
LEAST_ROWS = 200
REGISTERED = "registered"


@dataclass(frozen=True)
class Case:
    """All that the criteria look at."""

    seen: LoopSeen
    timeline: VersionTimeline

    @property
    def run(self) -> Run | None:
        """The first retraining run."""
        return next(iter(self.seen.runs), None)

    @property
    def rollout(self) -> Rollout | None:
        """The rollout of what that run registered."""
        version = self.run.version if self.run else ""
        return next((each for each in self.seen.traffic.rollouts if version and each.version == version), None)

    def version(self, request: Request) -> str:
        """Return the version that answered a request."""
        return self.timeline.of(request)


def run(case: Case) -> list[Check]:
    """Judge every criterion."""
    return [criterion(case) for criterion in CRITERIA]


def calm_before(case: Case) -> Check:
    """Windows before the planted drift start nothing."""
    calm, at = [each for each in case.seen.before_drift() if each.rows], case.seen.drift_at
    early = [each for each in case.seen.runs if at is None or epoch(each.started_at) < at]
    told = ", ".join(f"{each.severity} ({_moved(each.severe)})" if each.severe else each.severity for each in calm)
    detail = f"{len(calm)} windows: {told or 'none was looked at'}; {len(early)} retraining runs"
    name = f"before row {DRIFT_ROW:,} no retraining is started"
    return Check(name, len(calm) >= LEAST_CALM_WINDOWS and not early, detail)


def drift_found(case: Case) -> Check:
    """The first whole window of the planted drift is found severe."""
    after = case.seen.after_drift()
    first = after[0] if after else None
    found = first is not None and first.severity == "severe"
    detail = f"window of {first.start}: {first.severity}; {_moved_most(first)}" if first else "no window was looked at"
    return Check("the planted drift is found, window and features named", found, detail)


def retrained_once(case: Case) -> Check:
    """Drift starts one retraining run."""
    runs = case.seen.runs
    detail = "; ".join(f"{each.id}: {each.reason}" for each in runs) or "none was started"
    return Check("retraining runs, once", len(runs) == 1, detail)


def challenger_won(case: Case) -> Check:
    """The challenger is better than the champion on rows that neither has learnt from, and is registered."""
    run = case.run
    won = run is not None and run.outcome == REGISTERED
    detail = run.text or run.outcome or "it has not ended" if run else "there was none"
    return Check("the challenger beats the champion on held-out rows, and is registered", won, detail)


def rolled_out(case: Case) -> Check:
    """The registered version is approved by rule and rolled out by canary."""
    rollout = case.rollout
    if rollout is None or case.run is None:
        return Check("approved by rule, it is rolled out by canary", False, "no rollout was seen")
    weights = _weights(case, rollout)
    passed = rollout.outcome == PROMOTED and any(0 < weight < 100 for weight in weights)
    told = ", ".join(f"{weight:g} %" for weight in weights)
    return Check(
        "approved by rule, it is rolled out by canary", passed, f"{rollout.version}: {rollout.outcome}, weights {told}"
    )


def recovered(case: Case) -> Check:
    """With the new version accuracy is back."""
    name = "accuracy recovers"
    at, rollout = case.seen.drift_at, case.rollout
    if at is None or rollout is None or not rollout.ended_at:
        return Check(name, False, "no new version was promoted")
    answered = [r for r in case.seen.traffic.requests if r.right is not None]
    before = [r for r in answered if r.due < at]
    drifted = [r for r in answered if r.due >= at and case.version(r) != rollout.version]
    after = [r for r in answered if r.due >= epoch(rollout.ended_at)]
    shares = [_right(part) for part in (before, drifted, after)]
    passed = len(after) >= LEAST_ROWS and shares[2] >= shares[1] + LEAST_RECOVERED
    detail = (
        f"right on {shares[0]:.1%} of {len(before):,} days before the drift, on {shares[1]:.1%} of {len(drifted):,} in "
        f"it by the old version, on {shares[2]:.1%} of {len(after):,} after the promotion"
    )
    return Check(name, passed, detail)


def nothing_failed(case: Case) -> Check:
    """No request fails, whatever is retrained and rolled out beside it."""
    failed = [r for r in case.seen.traffic.requests if r.failure]
    detail = f"{len(case.seen.traffic.requests):,} requests, {len(failed)} failed"
    if failed:
        detail += f": row {row_of(failed[0].index)}, {failed[0].failure} {failed[0].detail[:120]}"
    return Check("no request fails", not failed, detail)


def _right(requests: Sequence[Request]) -> float:
    return sum(bool(r.right) for r in requests) / max(len(requests), 1)


def _weights(case: Case, rollout: Rollout) -> list[float]:
    weights = [
        s.weights.get(rollout.slot, 0.0) for s in case.seen.traffic.sightings if s.at >= epoch(rollout.started_at)
    ]
    return [weight for place, weight in enumerate(weights) if weight and weight not in weights[:place]]


def _moved(features: Sequence[str]) -> str:
    return ", ".join(features)


def _moved_most(window: Window) -> str:
    most = sorted(window.severe, key=lambda name: -window.psi.get(name, 0.0))
    return ", ".join(f"{name} (PSI {window.psi.get(name, 0.0):.2f})" for name in most)


CRITERIA: tuple[Callable[[Case], Check], ...] = (
    calm_before,
    drift_found,
    retrained_once,
    challenger_won,
    rolled_out,
    recovered,
    nothing_failed,
)
