"""Keeps capacities where they belong: within bounds, at the target that is tracked, and at what alarms ask for."""

import math
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from localcloud.clock import Clock, Timer
from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.store import MetricStore
from localcloud.physics.scalable import Kind, ScalableFleet
from localcloud.physics.scaling_policies import TRACKING, customised, step_cooldown, stepped
from localcloud.physics.scaling_targets import Target
from localcloud.physics.settings import PhysicsSettings

_OUT_PERIODS = 3  # periods, which are minutes, above the target before AWS adds instances
_IN_PERIODS = 15  # periods below nine tenths of it before AWS removes some
_IN_SHARE = 0.9
_DEFAULT_COOLDOWN_SECONDS = 300.0


class Registry(Protocol):
    """What is to be scaled."""

    def registered(self) -> list[Target]:
        """Return all targets."""

    def is_current(self, target: Target) -> bool:
        """Whether a target is still registered."""


class ScalingLoop:
    """Looks at every target each period, and changes capacities.

    Parameters
    ----------
    clock
        Time between evaluations.
    registry
        What is to be scaled.
    fleets
        Whose resources these are, by kind.
    metrics
        CloudWatch's samples, for customised metrics.
    settings
        How often it looks.
    """

    def __init__(
        self,
        clock: Clock,
        registry: Registry,
        fleets: Mapping[Kind, ScalableFleet],
        metrics: MetricStore | None,
        settings: PhysicsSettings,
    ) -> None:
        self._clock, self._registry, self._fleets = clock, registry, fleets
        self._metrics, self._settings = metrics, settings
        # Of the timer alone. No lock is held while a fleet is called: it calls the registry under its own.
        self._lock = threading.Lock()
        self._timer: Timer | None = None

    def start(self) -> None:
        """Look at the targets from the next period on; does nothing where it does so already."""
        with self._lock:
            if self._timer is None:
                self._timer = self._next()

    def stop(self) -> None:
        """Look no more."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()

    def keep_minimum(self, target: Target) -> None:
        """Raise a count below the minimum, unless scaling out is suspended; while the resource is busy, try again."""
        if target.suspended["DynamicScalingOutSuspended"] or not self._registry.is_current(target):
            return
        count = self._count(target)
        if count is not None and count < target.minimum and not self._scale(target, target.minimum):
            self._clock.call_later(self._settings.scaling_period_seconds / 6, lambda: self.keep_minimum(target))

    def bring_between_bounds(self, target: Target) -> None:
        """Bring a count between minimum and maximum, whatever is suspended."""
        count = self._count(target)
        if count is None:
            return
        bounded = _bounded(target, count)
        if bounded != count and self._registry.is_current(target):
            self._scale(target, bounded)

    def step(self, target: Target, steps: Mapping[str, Any], alarm: Mapping[str, Any]) -> None:
        """Carry out a step scaling policy, whose alarm's StateReasonData is given."""
        count = self._count(target)
        wanted = None if count is None else stepped(steps, count, alarm)
        if count is not None and wanted is not None:
            self._step(target, count, _bounded(target, wanted), step_cooldown(target.kind, steps))

    def _step(self, target: Target, count: int, wanted: int, cooldown: float) -> None:
        out = wanted > count
        suspended = target.suspended["DynamicScalingOutSuspended" if out else "DynamicScalingInSuspended"]
        if wanted != count and not suspended and self._is_cool(target, cooldown, out=out):
            self._scale(target, wanted)

    def _next(self) -> Timer:
        return self._clock.call_later(self._settings.scaling_period_seconds, self._evaluate)

    def _evaluate(self) -> None:
        targets = self._registry.registered()
        with self._lock:
            self._timer = self._next()
        for target in targets:
            self.keep_minimum(target)
            for policy in [each for each in target.policies.values() if each["PolicyType"] == TRACKING]:
                self._track(target, policy["TargetTrackingScalingPolicyConfiguration"])

    def _track(self, target: Target, tracking: Mapping[str, Any]) -> None:
        count = self._count(target) if self._registry.is_current(target) else None
        if count is None:
            return
        goal = float(tracking["TargetValue"])
        recent = [self._load(target, tracking, periods) for periods in range(_IN_PERIODS)]
        known = [load for load in recent if load is not None]
        if not known:
            return
        wanted = math.ceil(max(count, 1) * known[0] / goal)
        if all(load is not None and load > goal for load in recent[:_OUT_PERIODS]):
            self._scale_out(target, tracking, count, wanted)
        elif len(known) == _IN_PERIODS and all(load < goal * _IN_SHARE for load in known):
            self._scale_in(target, tracking, count, wanted)

    def _scale_out(self, target: Target, tracking: Mapping[str, Any], count: int, wanted: int) -> None:
        wanted = min(max(wanted, count + 1), target.maximum)
        suspended = target.suspended["DynamicScalingOutSuspended"]
        if wanted > count and not suspended and self._is_cool(target, tracking.get("ScaleOutCooldown"), out=True):
            self._scale(target, wanted)

    def _scale_in(self, target: Target, tracking: Mapping[str, Any], count: int, wanted: int) -> None:
        wanted = max(wanted, target.minimum)
        suspended = target.suspended["DynamicScalingInSuspended"] or tracking.get("DisableScaleIn")
        if wanted < count and not suspended and self._is_cool(target, tracking.get("ScaleInCooldown"), out=False):
            self._scale(target, wanted)

    def _is_cool(self, target: Target, cooldown: float | None, *, out: bool) -> bool:
        """Whether the last scaling is long enough ago; to scale out, that of the last scaling out counts only."""
        seconds = _DEFAULT_COOLDOWN_SECONDS if cooldown is None else float(cooldown)
        return self._clock.now() - (target.scaled_out_at if out else target.scaled_at) >= seconds

    def _load(self, target: Target, tracking: Mapping[str, Any], periods_ago: int) -> float | None:
        """Return the tracked metric of a whole period."""
        if self._metrics is None or not tracking.get("CustomizedMetricSpecification"):
            return self._fleets[target.kind].load(*target.place(), periods_ago)
        period = self._settings.scaling_period_seconds
        # What is published of a period at its end needs a moment to be there, as it does before alarms look.
        end = ((self._clock.now() - self._settings.metric_delay_seconds) // period - periods_ago) * period
        return customised(self._metrics, tracking, end - period, end)

    def _count(self, target: Target) -> int | None:
        fleet = self._fleets.get(target.kind)
        return None if fleet is None else fleet.capacity(*target.place())

    def _scale(self, target: Target, count: int) -> bool:
        """Change the count; False while the resource is busy, for AWS too scales only when it is not."""
        before = self._count(target)
        try:
            self._fleets[target.kind].set_capacity(*target.place(), count)
        except AwsError:
            return False
        target.scaled_at = self._clock.now()
        # Once something is taken away, what was added before need not be waited for.
        target.scaled_out_at = target.scaled_at if before is None or count > before else -math.inf
        return True


def _bounded(target: Target, count: int) -> int:
    return min(max(count, target.minimum), target.maximum)
