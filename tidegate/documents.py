"""The JSON that commands print. These field names are documented in docs/operators.md and do not change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from lambdas.rollout.state import Candidate, Rollout, State
from tidegate.answers import Answer
from tidegate.command_events import CommandEvent
from tidegate.registry import Package
from tidegate.rollouts import AuditEntry
from tidegate.rollouts import Rollout as Summary
from tidegate.snapshot import Snapshot, VariantView
from tidegate.steps import STEP


def moment(at: float | None) -> str | None:
    """Return a time as ISO 8601 in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def status(snapshot: Snapshot, trail: list[AuditEntry]) -> dict[str, Any]:
    """Return what ``status`` says."""
    state, seen = snapshot.state, snapshot.endpoint
    return {
        "endpoint": seen.name,
        "at": moment(snapshot.at),
        "status": seen.status,
        "failure": seen.failure or None,
        "config": seen.config,
        "live": _live(state),
        "variants": [_variant(view) for view in snapshot.variants],
        "rollout": _active(snapshot),
        "waits_for": snapshot.waiting.what or None,
        "waits_until": moment(snapshot.waiting.until),
        "frozen": _frozen(state),
        "queued": _queued(state.queued) if state and state.queued else None,
        "rollback_refused_seconds": snapshot.refusal_seconds,
        "latest": summary(snapshot.latest) if snapshot.latest else None,
        "trail": [entry(each) for each in trail],
    }


def _live(state: State | None) -> dict[str, Any] | None:
    if state is None:
        return None
    return {"version": state.live.version, "slot": state.live.slot, "package": state.live.package_arn}


def _frozen(state: State | None) -> dict[str, Any] | None:
    if state is None or state.frozen is None:
        return None
    return {"by": state.frozen.by, "at": moment(state.frozen.at), "reason": state.frozen.reason}


def _queued(candidate: Candidate) -> dict[str, Any]:
    return {"version": candidate.version, "approved_at": moment(candidate.approved_at)}


def _variant(view: VariantView) -> dict[str, Any]:
    variant = view.variant
    return {
        "name": variant.name,
        "role": view.role,
        "version": view.version,
        "weight": variant.weight,
        "desired_weight": variant.desired_weight,
        "share": round(view.share, 4),
        "instances": variant.instances,
        "desired_instances": variant.desired_instances,
        "alarms": [
            {"name": alarm.name, "state": alarm.state, "since": moment(alarm.since), "reason": alarm.reason}
            for alarm in view.alarms
        ],
    }


def _active(snapshot: Snapshot) -> dict[str, Any] | None:
    rollout = snapshot.rollout
    if rollout is None:
        return None
    return {
        **_identity(rollout),
        "phase": rollout.phase.value,
        "phase_since": moment(rollout.phase_since),
        "step": rollout.step + 1,
        "steps": len(rollout.policy.plan),
        "weight": rollout.weight,
        "paused": rollout.paused,
        "abort_reason": rollout.abort_reason,
        "deadline": moment(snapshot.deadline),
        "judgement": rollout.judged,
        "plan": [_part(asdict(each)) for each in snapshot.steps],
    }


def _identity(rollout: Rollout) -> dict[str, Any]:
    return {
        "id": rollout.id,
        "kind": rollout.kind.value,
        "version": rollout.version,
        "slot": rollout.slot,
        "stable_slot": rollout.stable_slot,
        "strategy": rollout.policy.strategy,
        "started_at": moment(rollout.started_at),
    }


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["kind"] != STEP:
        del part["number"]
    left = part["left_seconds"]
    return {**part, "left_seconds": None if left is None else round(left)}


def summary(rollout: Summary) -> dict[str, Any]:
    """Return a rollout's summary; what has not happened yet is null."""
    return {name: value or None for name, value in asdict(rollout).items()}


def entry(each: AuditEntry) -> dict[str, Any]:
    """Return an entry of the audit trail."""
    return {
        "number": each.number,
        "at": each.at,
        "by": each.by or None,
        "rollout": each.rollout or None,
        "phase": each.phase or None,
        "kind": each.kind,
        "text": each.text,
        "numbers": dict(each.numbers),
    }


def row(snapshot: Snapshot) -> dict[str, Any]:
    """Return what ``list`` says of an endpoint."""
    whole, rollout = status(snapshot, []), snapshot.rollout
    kept = {name: whole[name] for name in ("endpoint", "status", "waits_for", "waits_until", "frozen", "queued")}
    return {
        **kept,
        "live_version": whole["live"]["version"] if whole["live"] else None,
        "rollout": rollout.id if rollout else None,
        "new_version": rollout.version if rollout else None,
        "phase": rollout.phase.value if rollout else None,
        "step": rollout.step + 1 if rollout else None,
        "steps": len(rollout.policy.plan) if rollout else None,
        "weights": {view.variant.name: view.variant.weight for view in snapshot.variants},
        "error": None,
    }


def lost_row(endpoint: str, error: str) -> dict[str, Any]:
    """Return what ``list`` says of an endpoint that could not be looked at."""
    nothing = ("status", "waits_for", "waits_until", "frozen", "queued", "live_version", "rollout", "new_version")
    unknown = dict.fromkeys((*nothing, "phase", "step", "steps", "weights"))
    return {"endpoint": endpoint, **unknown, "error": error}


def answer(given: Answer) -> dict[str, Any]:
    """Return what the engine said to a command."""
    return {
        "id": given.event.id,
        "endpoint": given.event.endpoint,
        "command": given.event.command,
        "by": given.entry.by or given.event.by,
        "accepted": given.accepted,
        "text": given.entry.text,
        "at": given.entry.at,
        "rollout": given.entry.rollout or None,
        "phase": given.entry.phase or None,
        "error": None,
    }


def unanswered(event: CommandEvent, error: str) -> dict[str, Any]:
    """Return what became of a command to which there is no answer."""
    given = {name: getattr(event, name) for name in ("id", "endpoint", "command", "by")}
    return {**given, **dict.fromkeys(("accepted", "text", "at", "rollout", "phase")), "error": error}


def package(registered: Package) -> dict[str, Any]:
    """Return a registered version."""
    return {**asdict(registered), "created_at": registered.created_at.isoformat()}


def decided(registered: Package, approval: str, *, changed: bool) -> dict[str, Any]:
    """Return what became of an approval or a rejection."""
    return {"arn": registered.arn, "version": registered.version, "approval": approval, "changed": changed}
