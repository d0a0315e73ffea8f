"""A run as it should go, observation by observation; tests take it and break one thing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from tidegate.demo import report
from tidegate.demo.case import Expectation
from tidegate.demo.observations import (
    FAILED_ON_PURPOSE,
    MODEL_ERROR,
    AlarmSighting,
    Approval,
    Misfortune,
    Observations,
    Request,
    Sighting,
)
from tidegate.demo.report import Setting
from tidegate.rollouts import AuditEntry, Rollout

START = 1_800_000_000.0
RATE = 40.0
SECONDS = 200
CONFIGS = {
    "rain-seed": {"blue": "1.0.0"},
    "rain-r1-mixed": {"blue": "1.0.0", "green": "1.1.0"},
    "rain-r1-final": {"green": "1.1.0"},
    "rain-r2-mixed": {"blue": "1.2.0", "green": "1.1.0"},
    "rain-r3-mixed": {"blue": "1.3.0", "green": "1.1.0"},
}
# (from second, configuration, weights): what the endpoint was like.
COURSE: tuple[tuple[float, str, Mapping[str, float]], ...] = (
    (0, "rain-seed", {"blue": 100.0}),
    (14, "rain-r1-mixed", {"blue": 100.0, "green": 0.0}),
    (20, "rain-r1-mixed", {"blue": 90.0, "green": 10.0}),
    (43, "rain-r1-mixed", {"blue": 50.0, "green": 50.0}),
    (66, "rain-r1-mixed", {"blue": 0.0, "green": 100.0}),
    (92, "rain-r1-final", {"green": 100.0}),
    (108, "rain-r2-mixed", {"green": 100.0, "blue": 0.0}),
    (114, "rain-r2-mixed", {"green": 90.0, "blue": 10.0}),
    (136.5, "rain-r2-mixed", {"green": 100.0, "blue": 0.0}),
    (144, "rain-r1-final", {"green": 100.0}),
    (156, "rain-r3-mixed", {"green": 100.0, "blue": 0.0}),
    (160, "rain-r3-mixed", {"green": 90.0, "blue": 10.0}),
    (180, "rain-r3-mixed", {"green": 100.0, "blue": 0.0}),
    (186, "rain-r1-final", {"green": 100.0}),
)
BAD_LUCK_SECONDS = (28.0, 37.0)
CONDEMNED_SECOND = 178.0
ALARM_SECOND = 134.0
ALARM_CAUSE = (
    "More than 5 % of blue's answers are 5xx (alarm rain-local-blue-5xx-rate: Threshold Crossed: 1 out of the last 2)"
)
MEDIANS = {"1.0.0": 4.0, "1.1.0": 5.5, "1.2.0": 45.0, "1.3.0": 5.5}
RIGHT = {"1.3.0": 0.2}
WAITS = "Not going on at 10 % without more evidence: 5xx 1/36 vs 0/324, evidence that it is worse 1.2:1."
MAY_GO_ON = "5xx 2/152 vs 0/684, evidence that it is not worse 31:1"
DIFFERENT = "answers 97/100, evidence that it is worse 412:1"


def course_at(second: float) -> tuple[str, Mapping[str, float]]:
    """Return the configuration and the weights of that second."""
    _, config, weights = [entry for entry in COURSE if entry[0] <= second][-1]
    return config, weights


def iso(second: float) -> str:
    return datetime.fromtimestamp(START + second, UTC).isoformat()


def abort_text(cause: str, version: str = "1.2.0") -> str:
    """Return what the engine's abort entry says (`lambdas.rollout.abort`)."""
    return (
        f"Rolling back {version} on rain-local: {cause}. It had 10 % of the traffic on blue in BAKE; "
        "green takes everything again."
    )


def make_request(index: int, dice: random.Random) -> Request:
    """Return one request that the weights of its moment route."""
    second = index / RATE
    config, weights = course_at(second)
    variant = dice.choices(list(weights), list(weights.values()))[0]
    version = CONFIGS[config][variant]
    seconds = MEDIANS[version] * dice.lognormvariate(0, 0.28) / 1000
    failed = version == "1.2.0" and dice.random() < 0.25
    due = START + second
    return Request(
        due=due,
        sent=due + 0.0004,
        done=due + seconds,
        variant=variant,
        failure=MODEL_ERROR if failed else "",
        status=424 if failed else 200,
        model_status=500 if failed else None,
        right=None if failed else dice.random() < RIGHT.get(version, 0.8),
    )


def finding(metric: str, new: list[int], harm: float, assurance: float, text: str) -> dict[str, Any]:
    """Return a finding as an audit entry keeps it (`lambdas.rollout.judge.finding`)."""
    return {"metric": metric, "new": new, "log_harm": harm, "log_assurance": assurance, "text": text}


def verdict_entry(
    number: int, second: float, rollout: str, verdict: str, text: str, *findings: dict[str, Any]
) -> AuditEntry:
    """Return an audit entry about a verdict (`lambdas.rollout.judging`)."""
    key, numbers = f"AUDIT#{rollout}#{number:03d}", {"verdict": verdict, "findings": list(findings)}
    return AuditEntry(key, iso(second), rollout, "BAKE", "verdict", text, numbers)


def strike(seen: Observations, second: float) -> None:
    """Let the next request of 1.1.0 fail on purpose."""
    seen.misfortunes.append(Misfortune("1.1.0", "green", START + second))
    place = next(i for i, r in enumerate(seen.requests) if r.variant == "green" and r.due > START + second)
    failure: dict[str, Any] = {"failure": MODEL_ERROR, "status": 424, "model_status": 500, "right": None}
    seen.requests[place] = replace(seen.requests[place], **failure, detail=f'with message "{FAILED_ON_PURPOSE}"')


def make_run() -> Observations:
    """Return a run in which everything went as it should, for a test to change."""
    whole = _make_whole_run()
    copied = {name: copy(value) for name, value in vars(whole).items()}
    return Observations(**copied)


@cache
def _make_whole_run() -> Observations:
    dice = random.Random(7)
    seen = Observations(started=START, endpoint="rain-local", rate=RATE, ended=START + SECONDS)
    seen.requests = [make_request(index, dice) for index in range(int(SECONDS * RATE))]
    seen.handed_out, seen.traffic_ended = len(seen.requests), START + SECONDS
    for quarter in range(SECONDS * 4 + 1):
        config, weights = course_at(quarter / 4)
        at = START + quarter / 4
        seen.sightings.append(Sighting(at, at + 0.004, "InService", config, weights))
    seen.configs = dict(CONFIGS)
    for at in BAD_LUCK_SECONDS:
        strike(seen, at)
    seen.approvals = [Approval("1.1.0", START + 8), Approval("1.2.0", START + 102), Approval("1.3.0", START + 152)]
    name = "rain-local-blue-unhealthy"
    seen.alarms = [
        AlarmSighting(START + 1, name, "INSUFFICIENT_DATA", START - 30, ""),
        AlarmSighting(START + ALARM_SECOND + 0.4, name, "ALARM", START + ALARM_SECOND, "5xx rate"),
    ]
    first = Rollout("r1", "model", "1.1.0", "green", "PROMOTED", "PROMOTED", "healthy", iso(9), iso(93))
    second = Rollout("r2", "model", "1.2.0", "blue", "ROLLED_BACK", "ROLLED_BACK", "blue alarm", iso(103), iso(145))
    reason = f"it is worse than 1.1.0: {DIFFERENT}"
    third = Rollout("r3", "model", "1.3.0", "blue", "ROLLED_BACK", "ROLLED_BACK", reason, iso(153), iso(187))
    seen.rollouts = [first, second, third]
    luck = finding("5xx", [2, 152], -1.0, 3.43, MAY_GO_ON)
    wrong = finding("answers", [97, 100], 6.02, -9.0, DIFFERENT)
    seen.audit = [
        AuditEntry("AUDIT#r1#001", iso(9), "r1", "PREPARE", "phase", "Rollout r1 of version 1.1.0 starts on green."),
        AuditEntry("AUDIT#r1#002", iso(20.5), "r1", "BAKE", "weight", "Takes 10 %.", {"weight": 10}),
        AuditEntry("AUDIT#r1#003", iso(41), "r1", "BAKE", "hold", WAITS),
        verdict_entry(4, 42, "r1", "promote", f"Promote at second 22: {MAY_GO_ON}.", luck),
        AuditEntry("AUDIT#r2#005", iso(134.6), "r2", "ROLLBACK", "abort", abort_text(ALARM_CAUSE)),
        verdict_entry(6, CONDEMNED_SECOND, "r3", "rollback", f"Rolled back at second 18: {DIFFERENT}.", wrong),
        AuditEntry("AUDIT#r3#007", iso(CONDEMNED_SECOND), "r3", "ROLLBACK", "abort", abort_text(reason, "1.3.0")),
    ]
    return seen


@dataclass
class Run:
    """Observations, and the report over them."""

    seen: Observations = field(default_factory=make_run)
    expected: Expectation = field(default_factory=lambda: Expectation("1.1.0", "1.2.0", "1.3.0", (10.0, 50.0, 100.0)))
    setting: Setting = field(
        default_factory=lambda: Setting(
            declared=[{"what": "A new fleet", "here_seconds": 4, "on_aws": "5 to 10 minutes"}],
            simulated=[{"topic": "Encryption", "here": "In plain.", "on_aws": "Encrypted."}],
            stream="Daily weather of Bellevue, Nebraska.",
            policy={
                "steps": [{"weight": 10, "bake_seconds": 20}, {"weight": 100, "bake_seconds": 0}],
                "soak_seconds": 20,
                "judge": {
                    "margin": 1.5,
                    "tolerated_error_percent": 8,
                    "tolerated_slow_percent": 20,
                    "answers": {"field": "rain", "tolerated_percent": 25},
                },
            },
            limits={"error_percent": 5.0, "p99_ms": 250.0},
            set_up_seconds={"deploy": 21.0},
        )
    )

    def report(self) -> dict[str, Any]:
        """Return the report as it would be written now."""
        return report.build(self.seen, self.expected, self.setting)

    def failed_checks(self) -> list[str]:
        """Return the names of the criteria that fail."""
        return [check["name"] for check in self.report()["checks"] if not check["passed"]]


@pytest.fixture
def run() -> Run:
    """A run in which everything went as it should."""
    return Run()
