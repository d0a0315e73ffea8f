"""The report of a run of the loop: what was seen, as one JSON document. Times are seconds since the traffic began."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from tidegate.demo.loop import checks
from tidegate.demo.loop.seen import LoopSeen
from tidegate.demo.loop.stream import DRIFT_ROW, ROWS_A_MINUTE, row_of
from tidegate.demo.observations import Request
from tidegate.demo.report import REPORT_NAME
from tidegate.demo.timeline import VersionTimeline, shares
from tidegate.demo.verdicts import epoch
from tidegate.drift import Window
from tidegate.retraining import Run

ACCURACY_ROWS = 250
"""Right answers are counted over so many days: few enough to follow, many enough for 3 % of noise."""


@dataclass(frozen=True)
class Setting:
    """What the run was set in, shown so that nobody takes it for more than it is.

    Parameters
    ----------
    declared
        Durations here, and what they are on AWS.
    simulated
        What else differs from AWS.
    set_up_seconds
        How long each part of the set-up took.
    """

    declared: Sequence[Mapping[str, Any]]
    simulated: Sequence[Mapping[str, Any]]
    set_up_seconds: Mapping[str, float]


def build(seen: LoopSeen, setting: Setting) -> dict[str, Any]:
    """Return the report of a run."""
    traffic, timeline = seen.traffic, VersionTimeline(seen.traffic)
    judged = checks.run(checks.Case(seen, timeline))
    started = traffic.started
    return {
        "schema": 1,
        "passed": all(check.passed for check in judged),
        "started_at": datetime.fromtimestamp(started, UTC).isoformat(timespec="milliseconds"),
        "seconds": round(traffic.ended - started, 1),
        "endpoint": traffic.endpoint,
        "rows_a_minute": ROWS_A_MINUTE,
        "drift_at": None if seen.drift_at is None else round(seen.drift_at - started, 1),
        "rows": [row_of(0), row_of(max((r.index for r in traffic.requests), default=0))],
        "requests": len(traffic.requests),
        "failed": sum(1 for r in traffic.requests if r.failure),
        "labels": seen.labels,
        "versions": _versions(traffic.requests, timeline),
        "accuracy_rows": ACCURACY_ROWS,
        "accuracy": {v: list(s) for v, s in _accuracy(traffic.requests, timeline, started).items()},
        # The monitor ran before the traffic began: a window without a row tells nothing.
        "windows": [_window(each, started) for each in seen.windows if each.rows],
        "runs": [_run(each, started) for each in seen.runs],
        "rollouts": [asdict(each) for each in traffic.rollouts],
        "shares": [[round(at - started, 2), now] for at, now in shares(traffic, timeline)],
        "events": sorted(_events(seen), key=lambda event: event["t"]),
        "checks": [asdict(check) for check in judged],
        "declared": list(setting.declared),
        "simulated": list(setting.simulated),
        "set_up_seconds": dict(setting.set_up_seconds),
        "observer_errors": traffic.observer_errors,
    }


def write(folder: Path, report: Mapping[str, Any]) -> Path:
    """Write the report; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT_NAME
    path.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return path


def _versions(requests: Sequence[Request], timeline: VersionTimeline) -> list[str]:
    """Return the versions that answered, in the order in which they first did."""
    ordered = sorted((r for r in requests if not r.failure), key=lambda r: r.done)
    return list(dict.fromkeys(timeline.of(r) for r in ordered))


def _accuracy(
    requests: Sequence[Request], timeline: VersionTimeline, started: float
) -> dict[str, Iterator[tuple[float, float]]]:
    by_version: dict[str, list[Request]] = {}
    for request in sorted((r for r in requests if r.right is not None), key=lambda r: r.done):
        by_version.setdefault(timeline.of(request), []).append(request)
    return {version: _moving(answered, started) for version, answered in by_version.items()}


def _moving(answered: Sequence[Request], started: float, step: int = 10) -> Iterator[tuple[float, float]]:
    for end in range(ACCURACY_ROWS, len(answered) + 1, step):
        part = answered[end - ACCURACY_ROWS : end]
        yield round(part[-1].done - started, 1), round(sum(bool(r.right) for r in part) / len(part), 4)


def _window(window: Window, started: float) -> dict[str, Any]:
    return asdict(window) | {
        "start": round(epoch(window.start) - started, 1),
        "end": round(epoch(window.end) - started, 1),
        "at": window.start,
    }


def _run(run: Run, started: float) -> dict[str, Any]:
    return asdict(run) | {
        "started": round(epoch(run.started_at) - started, 1),
        "ended": round(epoch(run.ended_at) - started, 1) if run.ended_at else None,
    }


def _events(seen: LoopSeen) -> Iterator[dict[str, Any]]:
    started = seen.traffic.started
    if seen.drift_at is not None:
        yield _event(seen.drift_at - started, "planted-at", f"planted drift begins, row {DRIFT_ROW:,}")
    for before, window in pairwise([None, *seen.windows]):
        if window is not None and _is_news(before, window):
            yield _event(epoch(window.end) - started, "drift", f"window {window.severity}: {_named(window.severe)}")
    for run in seen.runs:
        yield _event(epoch(run.started_at) - started, "retraining", "retraining starts")
        if run.ended_at:
            yield _event(epoch(run.ended_at) - started, "retraining", f"{run.outcome} {run.version}".strip())
    for rollout in seen.traffic.rollouts:
        yield _event(epoch(rollout.started_at) - started, "rollout", f"rollout of {rollout.version} starts")
        if rollout.ended_at:
            yield _event(epoch(rollout.ended_at) - started, "promoted", f"{rollout.version} {rollout.outcome.lower()}")


def _is_news(before: Window | None, window: Window) -> bool:
    """Return whether a window is of another kind than the one before: calm, one feature drifted, or several."""
    return window.severity in ("severe", "suspect") and (before is None or _kind(before) != _kind(window))


def _kind(window: Window) -> tuple[str, bool]:
    return window.severity, len(window.severe) > 1


def _named(features: Sequence[str]) -> str:
    return f"{len(features)} features" if len(features) > 2 else ", ".join(features)


def _event(at: float, kind: str, text: str) -> dict[str, Any]:
    return {"t": round(at, 1), "kind": kind, "text": text}
