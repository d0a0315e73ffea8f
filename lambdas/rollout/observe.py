"""Looking at AWS: what the decision of a cycle needs to know, and no more."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import isfinite
from typing import TypeVar

from lambdas.contract import other_slot
from lambdas.rollout import judge
from lambdas.rollout.answers.replays import told_apart
from lambdas.rollout.comparison import Compared
from lambdas.rollout.errors import PermanentError, TidegateError, in_words
from lambdas.rollout.evidence import Answered
from lambdas.rollout.judge import Contest, Finding, Judgement, Series
from lambdas.rollout.observation import EndpointView, Observation, Outcome
from lambdas.rollout.ports import Ports
from lambdas.rollout.replacing import replace
from lambdas.rollout.settings import SettingsError
from lambdas.rollout.state import FORWARD, Phase, Rollout, State

T = TypeVar("T")

_WARM_UP_SECONDS = 60.0
"""For so long a new version fills its caches and compiles: how slow it is then says little of how slow it is."""


def observe(state: State, ports: Ports, outcome: Outcome | None, endpoint: EndpointView | None = None) -> Observation:
    """Look at the endpoint, and at what else the state makes matter.

    Only the endpoint itself must be readable: with whatever else cannot be read nothing is promoted, but a rollout
    can still be taken back. `endpoint` is a look at it that is not out of date yet.
    """
    rollout, notes = state.rollout, _Notes()
    forward = rollout is not None and rollout.phase in FORWARD
    looking = forward or state.has_work
    slot = rollout.slot if rollout else other_slot(state.live.slot)
    endpoint = endpoint or ports.endpoints.describe(state.name)
    health = notes.read(lambda: ports.alarms.health(state.name, slot)) if looking else None
    if forward and health is not None and health.failing:
        # That alone decides: whatever else could be read would only delay the way back.
        return Observation(endpoint, health, outcome=outcome)
    package = _package_of_interest(state)
    judged = rollout is not None and rollout.is_judged
    series = notes.judge(lambda: _warm(rollout, _series(ports, state.name, rollout))) if rollout and judged else None
    return Observation(
        endpoint=endpoint,
        health=health,
        answered=notes.read(lambda: _answered(ports, state.name, rollout)) if rollout and forward else None,
        compared=notes.read(lambda: _compared(ports, state.name, rollout)) if rollout and rollout.compares else None,
        baseline_ms=notes.judge(lambda: _baseline(ports, state.name, rollout)) if rollout else None,
        judgement=notes.judge(lambda: _judgement(rollout, series)) if rollout and series else None,
        contest=notes.judge(lambda: _contest(rollout, series)) if rollout and series else None,
        package_status=notes.read(lambda: package_status(ports, package)) if looking and package else None,
        settings=notes.read(lambda: ports.settings.load(state.name)) if state.has_work else None,
        outcome=outcome,
        problems=tuple(notes.problems),
    )


def _answered(ports: Ports, name: str, rollout: Rollout) -> Answered | None:
    since, step = rollout.watched_since, rollout.in_effect
    if since is None or step is None:
        return None
    p99 = step.p99_latency_milliseconds is not None
    return ports.metrics.answered(name, rollout.slot, rollout.evidence, since, ports.clock.now(), p99=p99)


def _compared(ports: Ports, name: str, rollout: Rollout) -> Compared | None:
    since = rollout.verified_since
    if since is None:
        return None
    totals = ports.metrics.totals(name, rollout.evidence, since, ports.clock.now())
    return Compared(totals[rollout.slot], totals[rollout.stable_slot])


def _baseline(ports: Ports, name: str, rollout: Rollout) -> float | None:
    if rollout.phase is not Phase.TEST or not rollout.judges:
        return None
    return ports.metrics.baseline_p99(name, rollout.stable_slot, ports.clock.now()) or 0.0


def _series(ports: Ports, name: str, rollout: Rollout) -> Series | None:
    judging, since, now = rollout.policy.judge, rollout.judged_since, ports.clock.now()
    if judging is None or since is None:
        return None
    series = ports.metrics.series(name, rollout.slot, rollout.evidence, since, now, rollout.slow_ms)
    return told_apart(series, ports.store.pairs(name, rollout.id)) if judging.answers else series


def _warm(rollout: Rollout, series: Series | None) -> Series | None:
    """Leave out how slow the new version was in its first minute; whatever failed then counts."""
    since = rollout.judged_since
    if series is None or since is None:
        return series
    warm = (each for each in series.latency if each.at >= since + _WARM_UP_SECONDS)
    return replace(series, latency=tuple(warm))


def _judgement(rollout: Rollout, series: Series) -> Judgement | None:
    judging = rollout.policy.judge
    if judging is None:
        return None
    found = judge.judge(series, judging.limits, step_since=rollout.watched_since)
    _check_finite(found.findings)
    return found


def _contest(rollout: Rollout, series: Series) -> Contest | None:
    judging, policy = rollout.policy.judge, rollout.policy
    if judging is None or not policy.decides_by_evidence or not policy.is_test(rollout.step):
        return None
    found = judge.contest(series, judging.limits)
    _check_finite(side for duel in found.duels for side in (duel.new, duel.live))
    return found


def _check_finite(findings: Iterable[Finding]) -> None:
    # The table knows no infinity, and a state that cannot be written would hold up the way back as well.
    for found in findings:
        if not all(map(isfinite, (found.harm, found.untempered, found.assurance, found.dispersion))):
            raise PermanentError(f"the judge's evidence is not finite: {found.counts}")


def package_status(ports: Ports, arn: str) -> str:
    """Return a package's approval status, ``Deleted`` when there is no such package."""
    package = ports.registry.describe(arn)
    return package.approval if package else "Deleted"


def _package_of_interest(state: State) -> str | None:
    # What is cloned from a config that was live needs no approval, nor the registry.
    coming = state.rollout or state.queued
    return coming.package_arn if coming is not None and coming.container is not None else None


@dataclass
class _Notes:
    problems: list[str] = field(default_factory=list)

    def read(self, look: Callable[[], T]) -> T | None:
        try:
            return look()
        except (TidegateError, SettingsError) as error:
            self.problems.append(str(error))
            return None

    def judge(self, look: Callable[[], T]) -> T | None:
        """Read or count for the judge: what nobody foresaw there holds a version back, and no alarm or command."""
        try:
            return self.read(look)
        except Exception as error:
            self.problems.append(f"the judge cannot count: {in_words(error)}")
            return None
