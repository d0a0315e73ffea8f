"""The demo's report: what was seen, as one JSON document. Times are seconds since the traffic started."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.demo import checks, measure
from tidegate.demo.case import PROMOTED, ROLLED_BACK, Case, Expectation
from tidegate.demo.observations import Misfortune, Observations, Request
from tidegate.demo.opinions import ROLLBACK, Opinion
from tidegate.demo.timeline import VersionTimeline, shares
from tidegate.demo.verdicts import Verdict, epoch, verdicts

SCHEMA = 2
REPORT_NAME = "report.json"
REQUESTS_NAME = "requests.csv"


@dataclass(frozen=True)
class Setting:
    """What the run was set in: shown with the report so that nobody takes it for more than it is.

    Parameters
    ----------
    declared
        Durations here, and what they are on AWS.
    simulated
        What else differs from AWS.
    stream
        What the traffic was.
    policy
        The rollout policy.
    limits
        What the canary's alarms allow: `error_percent` and `p99_ms`, as DescribeAlarms gives them.
    set_up_seconds
        How long each part of the set-up took.
    """

    declared: Sequence[Mapping[str, Any]]
    simulated: Sequence[Mapping[str, Any]]
    stream: str
    policy: Mapping[str, Any]
    limits: Mapping[str, float]
    set_up_seconds: Mapping[str, float]


def build(seen: Observations, expected: Expectation, setting: Setting) -> dict[str, Any]:
    """Return the report of a run."""
    timeline = VersionTimeline(seen)
    found = verdicts(seen, timeline)
    judged = checks.run(Case(seen, timeline, found, expected))
    return {
        "schema": SCHEMA,
        "passed": all(check.passed for check in judged),
        "started_at": datetime.fromtimestamp(seen.started, UTC).isoformat(timespec="milliseconds"),
        "seconds": round(seen.ended - seen.started, 1),
        "endpoint": seen.endpoint,
        "expected": {"good": expected.good, "bad": expected.bad, "wrong": expected.wrong},
        "rollouts": [_rollout(verdict, seen.started) for verdict in found],
        "traffic": _traffic(seen, timeline),
        "checks": [asdict(check) for check in judged],
        "declared": list(setting.declared),
        "simulated": list(setting.simulated),
        "stream": setting.stream,
        "policy": dict(setting.policy),
        "limits": dict(setting.limits),
        "set_up_seconds": dict(setting.set_up_seconds),
        "shares": [[_since(at, seen.started), now] for at, now in shares(seen, timeline)],
        "series": {
            version: measure.series(requests, seen.started)
            for version, requests in measure.by_version(seen.requests, timeline).items()
        },
        "events": _events(seen, found),
        "log": _log(seen),
        "observer_errors": seen.observer_errors,
    }


def _since(at: float, started: float) -> float:
    return round(at - started, 3)


def _since_if(at: float | None, started: float) -> float | None:
    return None if at is None else _since(at, started)


def _rollout(verdict: Verdict, started: float) -> dict[str, Any]:
    return {
        "version": verdict.version,
        "slot": verdict.slot,
        "outcome": verdict.outcome,
        "reason": verdict.reason,
        "approved_at": _since(verdict.approved_at, started),
        "ended_at": _since(verdict.ended_at, started),
        "weights": [[_since(at, started), weight] for at, weight in verdict.weights],
        "alarm_at": _since_if(verdict.alarm_at, started),
        "aborted_at": _since_if(verdict.aborted_at, started),
        "zero_weight_at": _since_if(verdict.zero_weight_at, started),
        "to_zero_seconds": measure.rounded(verdict.to_zero, 3),
        "judge": [_opinion(opinion, started) for opinion in verdict.opinions],
        "requests": len(verdict.requests),
        "failed_requests": _failures(verdict.requests),
        "canary_requests": len(verdict.canary),
        "canary_failed_requests": _failures(verdict.canary),
        "canary_failed_on_purpose": _on_purpose(verdict.canary),
    }


def _opinion(opinion: Opinion, started: float) -> dict[str, Any]:
    found = {metric: finding.text for metric, finding in opinion.findings.items()}
    return {
        "t": _since(opinion.at, started),
        "verdict": opinion.verdict,
        "text": opinion.text,
        "findings": found,
    }


def _failures(requests: Iterable[Request]) -> int:
    return sum(1 for request in requests if request.failure)


def _on_purpose(requests: Iterable[Request]) -> int:
    return sum(1 for request in requests if request.on_purpose)


def _traffic(seen: Observations, timeline: VersionTimeline) -> dict[str, Any]:
    sorted_out = measure.by_version(seen.requests, timeline)
    all_of_it = measure.totals(seen.requests)
    return {
        "rate": seen.rate,
        "sent": all_of_it["requests"],
        "answered": all_of_it["answered"],
        "failed": all_of_it["failed"],
        "failed_on_purpose": all_of_it["failed_on_purpose"],
        "failed_by_version_and_kind": {
            version: dict(Counter(request.failure for request in requests if request.failure))
            for version, requests in sorted_out.items()
            if _failures(requests)
        },
        "p50_ms": all_of_it["p50_ms"],
        "p99_ms": all_of_it["p99_ms"],
        "by_version": {version: measure.totals(requests) for version, requests in sorted_out.items()},
    }


def _events(seen: Observations, found: Sequence[Verdict]) -> list[dict[str, Any]]:
    moments = [(verdict.version, moment) for verdict in found for moment in _moments(verdict)]
    moments += [(each.version, (each.at, "bad_luck", f"bad luck of {each.version}")) for each in seen.misfortunes]
    events = [
        {"t": _since(at, seen.started), "kind": kind, "version": version, "text": text}
        for version, (at, kind, text) in moments
    ]
    return sorted(events, key=lambda event: float(str(event["t"])))


def _moments(verdict: Verdict) -> list[tuple[float, str, str]]:
    name = verdict.version
    moments = [(verdict.approved_at, "approved", f"{name} approved")]
    moments += [(at, "step", f"{name} at {weight:g} %") for at, weight in _rises(verdict)]
    if verdict.alarm_at is not None:
        moments.append((verdict.alarm_at, "alarm", f"alarm on {name}"))
    if condemned := verdict.said(ROLLBACK):
        moments.append((condemned.at, "judge", f"judge on {name}"))
    if verdict.zero_weight_at is not None:
        moments.append((verdict.zero_weight_at, "zero", f"{name} at 0 %"))
    ended = {PROMOTED: "promoted", ROLLED_BACK: "rolled_back"}.get(verdict.outcome)
    if ended:
        moments.append((verdict.ended_at, ended, f"{name} {ended.replace('_', ' ')}"))
    return moments


def _rises(verdict: Verdict) -> list[tuple[float, float]]:
    highest, rises = 0.0, []
    for at, weight in verdict.weights:
        if weight > highest:
            highest = weight
            rises.append((at, weight))
    return rises


def _log(seen: Observations) -> list[dict[str, Any]]:
    entries = [
        {"t": _since(epoch(entry.at), seen.started), "source": "engine", "phase": entry.phase, "text": entry.text}
        for entry in seen.audit
    ]
    entries += [
        {"t": _since(alarm.since, seen.started), "source": "alarm", "phase": alarm.state, "text": alarm.name}
        for alarm in seen.alarms
        if alarm.since >= seen.started
    ]
    entries += [
        {"t": _since(each.at, seen.started), "source": "demo", "phase": "", "text": _ordered(each)}
        for each in seen.misfortunes
    ]
    entries += [
        {"t": _since(given.at, seen.started), "source": "operator", "phase": "", "text": f"approves {given.version}"}
        for given in seen.approvals
    ]
    return sorted(entries, key=lambda entry: float(str(entry["t"])))


def _ordered(misfortune: Misfortune) -> str:
    return f"lets the next request of {misfortune.version} on {misfortune.slot} fail"


def write(folder: Path, report: Mapping[str, Any], seen: Observations) -> Path:
    """Write the report, and every request beside it; return the report's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / REPORT_NAME
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _write_requests(folder / REQUESTS_NAME, seen)
    return path


def _write_requests(path: Path, seen: Observations) -> None:
    timeline = VersionTimeline(seen)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            (
                *("due", "sent", "done", "latency_ms", "variant", "version"),
                *("status", "failure", "model_status", "on_purpose", "right"),
            )
        )
        for request in sorted(seen.requests, key=lambda request: request.due):
            writer.writerow(_row(request, timeline.of(request), seen.started))


def _row(request: Request, version: str, started: float) -> tuple[object, ...]:
    times = (_since(request.due, started), _since(request.sent, started), _since(request.done, started))
    right = "" if request.right is None else int(request.right)
    model_status = "" if request.model_status is None else request.model_status
    outcome = (request.variant, version, request.status, request.failure, model_status, int(request.on_purpose), right)
    return (*times, round(request.latency_ms, 2), *outcome)


@dataclass(frozen=True)
class Dot:
    """One request as the pictures draw it."""

    t: float
    latency_ms: float
    version: str
    failed: bool
    right: bool | None
    """Whether it was right about the rain; None when it was not answered."""


def read_dots(folder: Path) -> list[Dot]:
    """Return every request that a run's folder lists."""
    with (folder / REQUESTS_NAME).open(newline="", encoding="utf-8") as file:
        return [
            Dot(
                float(row["due"]),
                float(row["latency_ms"]),
                row["version"],
                bool(row["failure"]),
                row["right"] == "1" if row["right"] else None,
            )
            for row in csv.DictReader(file)
        ]


def read_report(folder: Path) -> dict[str, Any]:
    """Return the report in a run's folder."""
    report: dict[str, Any] = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))
    return report
