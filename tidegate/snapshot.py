"""All that is known of an endpoint at one moment: what SageMaker says, what the engine recorded, and its alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lambdas.rollout.policy import Policy
from lambdas.rollout.policy.policy import SHARE
from lambdas.rollout.state import FORWARD, Rollout, State
from tidegate import live, rollouts
from tidegate.aws import Aws
from tidegate.live import Alarm, Live, Variant, VersionsByConfig
from tidegate.rollouts import Rollout as Summary
from tidegate.settings import EndpointSettings
from tidegate.steps import StepView, steps_of
from tidegate.waiting import NOTHING, Waiting, starts_at_once, waits_for

STABLE, NEW, SHADOW = "live", "new", "shadow"


@dataclass(frozen=True)
class VariantView:
    """A variant with what it runs.

    Parameters
    ----------
    variant
        As SageMaker reports it.
    version
        The version that it runs.
    role
        ``live``, ``new`` (the version that is rolled out) or ``shadow`` (the same, answering copies).
    share
        Share of the traffic, from 0 to 1; of a shadow: of the requests that are copied.
    alarms
        Its alarms.
    """

    variant: Variant
    version: str
    role: str
    share: float
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Snapshot:
    """An endpoint at one moment.

    Parameters
    ----------
    at
        When, in epoch seconds.
    endpoint
        As SageMaker reports it.
    state
        What the engine has recorded; None before the first deployment has.
    policy
        The declared policy, which is that of the next rollout.
    latest
        The rollout that was started last, if any.
    variants
        The variants with their versions.
    """

    at: float
    endpoint: Live
    state: State | None
    policy: Policy
    latest: Summary | None
    variants: tuple[VariantView, ...]

    @property
    def rollout(self) -> Rollout | None:
        """The active rollout."""
        return self.state.rollout if self.state else None

    @property
    def waiting(self) -> Waiting:
        """What it waits for."""
        return waits_for(self.state, self.policy, self.at) if self.state else NOTHING

    @property
    def steps(self) -> list[StepView]:
        """The parts of the active rollout."""
        return steps_of(self.rollout, self.at) if self.rollout else []

    @property
    def idle(self) -> bool:
        """Whether no rollout is active, nor about to be."""
        if self.state is None:
            return True
        return self.state.rollout is None and not starts_at_once(self.state, self.policy, self.at)

    @property
    def deadline(self) -> float | None:
        """When the active rollout is given up for want of progress; None when it cannot be, or waits for people."""
        rollout = self.rollout
        counts = rollout is not None and rollout.phase in FORWARD and rollout.waiting_since is None
        return rollout.deadline if rollout is not None and counts else None

    @property
    def refusal_seconds(self) -> int | None:
        """The time-outs of the instances that a step adds, while a rollback is refused; None when it never is."""
        policy = self.rollout.policy if self.rollout else self.policy
        if self.state is None or policy.capacity != SHARE:
            return None
        fleet = self.rollout.fleet if self.rollout else self.state.desired_fleet
        return fleet.startup_timeout_seconds + fleet.download_timeout_seconds


def take(aws: Aws, endpoint: EndpointSettings, versions: VersionsByConfig, at: float) -> Snapshot:
    """Look at an endpoint, its record and its alarms."""
    return _take(aws, endpoint, versions, at, live.alarms(aws, endpoint.name))


def glance(aws: Aws, endpoint: EndpointSettings, versions: VersionsByConfig, at: float) -> Snapshot:
    """Look at an endpoint and its record, without its alarms: AWS answers few questions about alarms a second."""
    return _take(aws, endpoint, versions, at, [])


def _take(aws: Aws, endpoint: EndpointSettings, versions: VersionsByConfig, at: float, alarms: list[Alarm]) -> Snapshot:
    seen = live.observe(aws, endpoint.name)
    state = rollouts.load(aws, endpoint)
    return Snapshot(
        at=at,
        endpoint=seen,
        state=state,
        policy=endpoint.rollout_policy,
        latest=rollouts.latest(aws, endpoint),
        variants=_variants(seen, state, versions, alarms),
    )


def _variants(
    seen: Live, state: State | None, versions: VersionsByConfig, alarms: list[Alarm]
) -> tuple[VariantView, ...]:
    named = recorded_versions(seen, state) or versions.of(seen.config)
    total = sum(variant.weight for variant in seen.variants) or 1.0
    slot = state.live.slot if state else ""
    new = state.rollout.slot if state and state.rollout else None
    views = [
        _view(seen, variant, named, NEW if variant.name == new and variant.name != slot else STABLE, total, alarms)
        for variant in seen.variants
    ]
    # A shadow's weight is compared with the production variants' to tell which share of the requests is copied.
    views += [_view(seen, variant, named, SHADOW, total, alarms) for variant in seen.shadows]
    return tuple(views)


def _view(
    seen: Live, variant: Variant, named: Mapping[str, str], role: str, total: float, alarms: list[Alarm]
) -> VariantView:
    own = tuple(alarm for alarm in alarms if alarm.name.startswith(f"{seen.name}-{variant.name}-"))
    return VariantView(variant, named.get(variant.name, "?"), role, min(variant.weight / total, 1.0), own)


def recorded_versions(seen: Live, state: State | None) -> dict[str, str]:
    """Return the version of each variant as the engine recorded it; empty for a config that it did not make."""
    if state is None:
        return {}
    found = {state.live.config: {state.live.slot: state.live.version}}
    if (rollout := state.rollout) is not None:
        both = {rollout.stable_slot: state.live.version, rollout.slot: rollout.version}
        made = (rollout.mixed_config, rollout.final_config, rollout.shadow_config)
        found = {**dict.fromkeys(made, both), **found}
    return found.get(seen.config, {})
