"""A run as it should go, observation by observation; tests take it and break one thing."""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from tidegate.demo import report
from tidegate.demo.checks import Expectation
from tidegate.demo.observations import MODEL_ERROR, AlarmSighting, Approval, Observations, Request, Sighting
from tidegate.demo.report import Setting
from tidegate.rollouts import AuditEntry, Rollout

START = 1_800_000_000.0
RATE = 40.0
SECONDS = 176
CONFIGS = {
    "rain-seed": {"blue": "1.0.0"},
    "rain-r1-mixed": {"blue": "1.0.0", "green": "1.1.0"},
    "rain-r1-final": {"green": "1.1.0"},
    "rain-r2-mixed": {"blue": "1.2.0", "green": "1.1.0"},
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
)
ALARM_SECOND = 134.0
ZERO_SECOND = 136.5
ALARM_CAUSE = (
    "More than 5 % of blue's answers are 5xx (alarm rain-local-blue-5xx-rate: Threshold Crossed: 1 out of the last 2)"
)
MEDIANS = {"1.0.0": 4.0, "1.1.0": 5.5, "1.2.0": 45.0}


def course_at(second: float) -> tuple[str, Mapping[str, float]]:
    """Return the configuration and the weights of that second."""
    _, config, weights = [entry for entry in COURSE if entry[0] <= second][-1]
    return config, weights


def iso(second: float) -> str:
    return datetime.fromtimestamp(START + second, UTC).isoformat()


def abort_text(cause: str) -> str:
    """Return what the engine's abort entry says (`lambdas.rollout.abort`)."""
    return (
        f"Rolling back 1.2.0 on rain-local: {cause}. It had 10 % of the traffic on blue in BAKE; "
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
        right=None if failed else dice.random() < 0.8,
    )


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
    seen.approvals = [Approval("1.1.0", START + 8), Approval("1.2.0", START + 102)]
    name = "rain-local-blue-unhealthy"
    seen.alarms = [
        AlarmSighting(START + 1, name, "INSUFFICIENT_DATA", START - 30, ""),
        AlarmSighting(START + ALARM_SECOND + 0.4, name, "ALARM", START + ALARM_SECOND, "5xx rate"),
    ]
    first = Rollout("r1", "model", "1.1.0", "green", "PROMOTED", "PROMOTED", "healthy", iso(9), iso(93))
    second = Rollout("r2", "model", "1.2.0", "blue", "ROLLED_BACK", "ROLLED_BACK", "blue alarm", iso(103), iso(145))
    seen.rollouts = [first, second]
    seen.audit = [
        AuditEntry("AUDIT#r1#001", iso(9), "r1", "PREPARE", "phase", "Rollout r1 of version 1.1.0 starts on green."),
        AuditEntry("AUDIT#r2#001", iso(134.6), "r2", "ROLLBACK", "abort", abort_text(ALARM_CAUSE)),
    ]
    return seen


@dataclass
class Run:
    """Observations, and the report over them."""

    seen: Observations = field(default_factory=make_run)
    expected: Expectation = field(default_factory=lambda: Expectation("1.1.0", "1.2.0", (10.0, 50.0, 100.0)))
    setting: Setting = field(
        default_factory=lambda: Setting(
            declared=[{"what": "A new fleet", "here_seconds": 4, "on_aws": "5 to 10 minutes"}],
            simulated=[{"topic": "Encryption", "here": "In plain.", "on_aws": "Encrypted."}],
            stream="Daily weather of Bellevue, Nebraska.",
            policy={
                "steps": [{"weight": 10, "bake_seconds": 20}, {"weight": 100, "bake_seconds": 0}],
                "soak_seconds": 20,
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
