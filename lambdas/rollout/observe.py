"""Looking at AWS: what the decision of a cycle needs to know, and no more."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from lambdas.contract import other_slot
from lambdas.rollout.comparison import Compared
from lambdas.rollout.errors import TidegateError
from lambdas.rollout.evidence import Answered
from lambdas.rollout.observation import EndpointView, Observation, Outcome
from lambdas.rollout.ports import Ports
from lambdas.rollout.settings import SettingsError
from lambdas.rollout.state import FORWARD, Rollout, State

T = TypeVar("T")


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
    return Observation(
        endpoint=endpoint,
        health=health,
        answered=notes.read(lambda: _answered(ports, state.name, rollout)) if rollout and forward else None,
        compared=notes.read(lambda: _compared(ports, state.name, rollout)) if rollout and rollout.compares else None,
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
