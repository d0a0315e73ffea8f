"""The steps that a rehearsal goes through, and who decides at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from lambdas.rollout.judge import Tally
from lambdas.rollout.policy import Policy
from lambdas.rollout.policy.judging import ASK, Inconclusive
from lambdas.rollout.policy.step import FULL_SHARE
from tidegate.rehearsal.recording import Period


@dataclass(frozen=True)
class Alarm:
    """An alarm on the share of 5xx answers.

    Parameters
    ----------
    percent
        It is bad above this.
    min_requests
        Requests that a period must hold to be looked at.
    bad, of
        Bad periods among the latest at which it goes off.
    """

    percent: float = 5.0
    min_requests: int = 10
    bad: int = 2
    of: int = 3

    def rings(self, answered: Sequence[Tally]) -> bool:
        """Return whether it goes off at the end of these periods."""
        latest = [each for each in answered[-self.of :] if each.total >= self.min_requests]
        return sum(100 * each.events > self.percent * each.total for each in latest) >= self.bad

    def __str__(self) -> str:
        """Say when it goes off."""
        return f"alarm on 5xx above {self.percent:g} % in {self.bad} of {self.of} periods"


@dataclass(frozen=True)
class PlannedStep:
    """A share of the traffic, how long it is watched at least, and how many requests it must have answered."""

    weight: float
    seconds: float
    min_requests: int = 0
    error_percent: float | None = None


@dataclass(frozen=True)
class Plan:
    """Steps, and what is done when nobody knows.

    Parameters
    ----------
    steps
        The steps; the last has all the traffic.
    deadline_seconds
        One that finishes no step for this long is rolled back; None: however long it takes.
    horizon_seconds
        How long a step waits for evidence before `inconclusive` says what to do.
    inconclusive
        Ask a person, extend, or raise the weight.
    """

    steps: tuple[PlannedStep, ...]
    deadline_seconds: float | None = None
    horizon_seconds: float = 3600.0
    inconclusive: Inconclusive = ASK

    def is_last(self, index: int) -> bool:
        """Return whether step `index` has all the traffic."""
        return index == len(self.steps) - 1


class Ruling(StrEnum):
    """What a rule says at the end of a period."""

    ROLL_BACK = "roll back"
    GO_ON = "go on"
    WAIT = "wait"


@dataclass(frozen=True)
class Look:
    """What can be seen at the end of a period.

    Parameters
    ----------
    history
        What both versions answered, from the first period on.
    step
        The present step.
    since
        Index in `history` at which it began.
    period_seconds
        Length of a period.
    """

    history: Sequence[Period]
    step: PlannedStep
    since: int
    period_seconds: int


class Rule(Protocol):
    """Decides whether a new version goes on."""

    def look(self, seen: Look) -> tuple[Ruling, str]:
        """Return what to do, and why."""


@dataclass(frozen=True)
class Contender:
    """A plan with a rule, rehearsed beside others.

    Parameters
    ----------
    name
        Names it.
    plan, rule
        What it does.
    notes
        What a reader must know: how it was read, and what of it is not rehearsed.
    """

    name: str
    plan: Plan
    rule: Rule
    notes: tuple[str, ...] = field(default=())


def plan_of(policy: Policy) -> Plan:
    """Return the steps of a policy. Its shadow, approvals, hooks and windows take no time in a rehearsal."""
    steps = tuple(
        PlannedStep(float(step.weight), policy.bake_of(index), step.min_requests, step.error_rate_percent)
        for index, step in enumerate(policy.plan)
    )
    if policy.judge is None:
        return Plan(steps, policy.progress_deadline_seconds)
    return Plan(steps, policy.progress_deadline_seconds, policy.judge.horizon_seconds, policy.judge.inconclusive)


def left_out(policy: Policy) -> tuple[str, ...]:
    """Return which parts of a policy a rehearsal passes over, in words."""
    steps = policy.plan
    parts = {
        "the shadow phase": policy.shadow is not None,
        "approvals (given at once)": any(step.approval for step in steps),
        "hooks (they say go)": any(step.hooks for step in steps),
        "windows": bool(policy.windows),
        "limits on the 99th percentile": any(step.p99_latency_milliseconds is not None for step in steps),
        "the comparison of answers": policy.judge is not None and policy.judge.answers is not None,
    }
    return tuple(name for name, there in parts.items() if there)


def guardrails_canary(bake_seconds: float = 600.0) -> Plan:
    """Return SageMaker's canary: one small step, then all the traffic, watched as long."""
    return Plan((PlannedStep(10.0, bake_seconds), PlannedStep(float(FULL_SHARE), bake_seconds)))


def guardrails_linear(bake_seconds: float = 300.0) -> Plan:
    """Return SageMaker's linear shift, by ten per cent, which is its smallest step."""
    weights = range(10, FULL_SHARE + 1, 10)
    return Plan(tuple(PlannedStep(float(weight), bake_seconds) for weight in weights))
