"""The engine's ports to many endpoints: in memory, and every call counted."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from botocore.exceptions import ClientError

from bench.crowd.meter import Meter, VirtualTime
from bench.crowd.physics import Endpoint
from lambdas import contract
from lambdas.rollout import items
from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.errors import ConflictError, EndpointBusyError, RetryableError
from lambdas.rollout.evidence import Answered, Evidence, Period
from lambdas.rollout.fleet import Scaling
from lambdas.rollout.judge import Paired, Series
from lambdas.rollout.observation import EndpointView
from lambdas.rollout.ports import Due, Package
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import Rollout, State

_SAMPLES = 20
_INDEX_KEYS_BYTES = 150
_PAGE_BYTES = 1024 * 1024


class Table:
    """Implements `Store`, and counts the units that DynamoDB would.

    How large an item is depends on the phase; some of each are written down and weighed.
    """

    def __init__(self, clock: VirtualTime, meter: Meter) -> None:
        self._clock, self._meter = clock, meter
        self.states: dict[str, State] = {}
        self._sizes: dict[str, list[int]] = {}

    def load(self, name: str) -> State | None:
        """Return the endpoint's state."""
        self._meter.call("dynamodb:GetItem")
        state = self.states.get(name)
        if state is not None:
            self._meter.use("dynamodb table, read units", math.ceil(self._size(state) / 4096))
        return state

    def save(
        self,
        state: State,
        entries: Sequence[Entry] = (),
        *,
        now: float,
        rollout: Rollout | None = None,
        episode: Episode | None = None,
    ) -> State:
        """Write the state; all of it counts twice, because it is a transaction."""
        before = self.states.get(state.name)
        self._meter.call("dynamodb:TransactWriteItems")
        if before is not None and before.version != state.version:
            raise ConflictError(f"version {state.version} is not {before.version}")
        saved = replace(state, version=state.version + 1, audit_count=state.audit_count + len(entries))
        self.states[state.name] = saved
        units = math.ceil(self._size(saved) / 1024) + len(entries) + (2 if rollout else 0)
        self._meter.use("dynamodb table, write units", 2 * units)
        self._meter.use("dynamodb index by-wake, write units", 2 * _indexed_anew(before, saved))
        return saved

    def episodes(self, name: str) -> dict[str, Episode]:
        """Return none: approvals are not what is measured."""
        self._meter.call("dynamodb:Query")
        return {}

    def pairs(self, name: str, rollout: str) -> tuple[Paired, ...]:
        """Return none: nothing is judged."""
        return ()

    def active(self) -> list[Due]:
        """Return the active endpoints, those that have waited longest first."""
        found = [Due(state.name, state.wake or 0) for state in self.states.values() if _active(state)]
        return self._listed(sorted(found, key=lambda due: due.wake))

    def idle(self) -> list[Due]:
        """Return the others."""
        return self._listed([Due(state.name, 0) for state in self.states.values() if not _active(state)])

    def _listed(self, found: list[Due]) -> list[Due]:
        size = len(found) * _INDEX_KEYS_BYTES
        for _ in range(1 + size // _PAGE_BYTES):
            self._meter.call("dynamodb:Query")
        self._meter.use("dynamodb table, read units", math.ceil(size / 4096) / 2)
        return found

    def _size(self, state: State) -> float:
        phase = state.rollout.phase if state.rollout else "-"
        known = self._sizes.setdefault(phase, [])
        if len(known) < _SAMPLES:
            known.append(len(json.dumps(items.state_item(state))))
        return sum(known) / len(known)


def _active(state: State) -> bool:
    return state.rollout is not None or state.wake is not None


def _indexed_anew(before: State | None, after: State) -> bool:
    return before is None or (before.wake, _active(before)) != (after.wake, _active(after))


class Hosting:
    """Implements `Endpoints` and `Autoscaling`."""

    def __init__(self, clock: VirtualTime, meter: Meter, endpoints: Mapping[str, Endpoint], world: Any) -> None:
        self._clock, self._meter, self._endpoints, self._world = clock, meter, endpoints, world
        self._random = Random(2)

    def describe(self, name: str) -> EndpointView:
        """Look at an endpoint."""
        self._call("DescribeEndpoint")
        return self._endpoints[name].view(self._clock.now())

    def create_model(self, action: CreateModel) -> None:
        """Make a model."""
        self._call("CreateModel")

    def create_mixed_config(self, action: CreateMixedConfig) -> None:
        """Make the config with both variants."""
        self._call("DescribeEndpointConfig")
        self._call("CreateEndpointConfig")
        self._endpoints[action.tags["tidegate:endpoint"]].configs[action.name] = contract.SLOTS

    def create_final_config(self, action: CreateFinalConfig) -> None:
        """Make the config with the new variant alone."""
        self._call("DescribeEndpointConfig")
        self._call("CreateEndpointConfig")
        self._endpoints[action.tags["tidegate:endpoint"]].configs[action.name] = (action.slot,)

    def update(self, name: str, config: str) -> None:
        """Put a config live."""
        self._change("UpdateEndpoint", name)
        until = self._until(*self._meter.model.update)
        self._endpoints[name].update(config, self._clock.now(), until)
        self._world.endpoint_changes(name, until)

    def set_weights(self, name: str, weights: Mapping[str, float]) -> None:
        """Set the weights of variants."""
        self._change("UpdateEndpointWeightsAndCapacities", name)
        until = self._until(*self._meter.model.weights)
        self._endpoints[name].set_weights(weights, self._clock.now(), until)
        self._world.endpoint_changes(name, until)
        self._world.weights_set(name, weights)

    def set_capacity(self, name: str, slot: str, count: int) -> None:
        """Set an instance count, at once: what is measured is not how long instances take."""
        self._change("UpdateEndpointWeightsAndCapacities", name)
        self._endpoints[name].set_capacity(slot, count)

    def delete(self, kind: str, name: str) -> None:
        """Delete a config or a model."""
        self._call("DeleteEndpointConfig")

    def keep(self, name: str, slot: str, scaling: Scaling) -> None:
        """Scale a variant."""
        self._meter.call("application-autoscaling:RegisterScalableTarget")
        self._meter.call("application-autoscaling:PutScalingPolicy")

    def release(self, name: str, slot: str) -> None:
        """Scale a variant no longer."""
        self._meter.call("application-autoscaling:DeregisterScalableTarget")

    def _until(self, least: float, most: float) -> float:
        return self._clock.now() + self._random.uniform(least, most)

    def _call(self, operation: str) -> None:
        if not self._meter.call(f"sagemaker:{operation}"):
            raise RetryableError(f"ThrottlingException: {operation}")

    def _change(self, operation: str, name: str) -> None:
        self._call(operation)
        if self._endpoints[name].busy(self._clock.now()):
            raise EndpointBusyError(f"Cannot update in-progress endpoint {name}")


class CloudWatch:
    """A client of CloudWatch as far as the adapter of the alarms uses one."""

    def __init__(self, clock: VirtualTime, meter: Meter, bad: Mapping[str, float]) -> None:
        self._clock, self._meter, self._bad = clock, meter, bad

    def describe_alarms(self, **request: Any) -> dict[str, Any]:
        """Describe alarms by name, or composite alarms by state; `bad` says since when a slot's are in ALARM."""
        if not self._meter.call("cloudwatch:DescribeAlarms"):
            raise ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "DescribeAlarms")
        now = self._clock.now()
        if "StateValue" in request:
            found: Iterable[str] = [name for name, since in self._bad.items() if since <= now and "unhealthy" in name]
        else:
            found = request["AlarmNames"]
        states = [(name, "ALARM" if self._bad.get(name, math.inf) <= now else "OK") for name in found]
        return {"MetricAlarms": [{"AlarmName": name, "StateValue": state} for name, state in states]} | {
            "CompositeAlarms": [{"AlarmName": name, "StateValue": state} for name, state in states]
        }


class SteadyTraffic:
    """Implements `Metrics`: enough requests, none of which fails."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def answered(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, *, p99: bool = False
    ) -> Answered:
        """Return the last whole periods."""
        start, end = asked.span(since, now)
        count = min(int((end - start) / asked.period_seconds), asked.periods)
        if start == end:
            return Answered()
        if not self._meter.call("cloudwatch:GetMetricData"):
            raise RetryableError("Throttling")
        return Answered(tuple(Period(end - (n + 1) * asked.period_seconds, 400, 0) for n in reversed(range(count))))

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> Mapping[str, Any]:
        """Return nothing: no policy here compares."""
        return {}

    def baseline_p99(self, name: str, slot: str, now: float) -> float | None:
        """Return nothing: nothing is judged."""
        return None

    def series(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, threshold_ms: float | None
    ) -> Series:
        """Return nothing: nothing is judged."""
        return Series(asked.period_seconds)


class Approved:
    """Implements `Registry`: every package is approved, and no approval got lost."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def describe(self, arn: str) -> Package:
        """Return a package."""
        if not self._meter.call("sagemaker:DescribeModelPackage"):
            raise RetryableError("ThrottlingException")
        return Package(arn, arn.split("/")[-2], "Approved", "Completed", 0.0, "1.1.0", ())

    def approved(self, group: str) -> list[str]:
        """Return none."""
        self._meter.call("sagemaker:ListModelPackages")
        return []


class Parameters:
    """Implements `SettingsSource`."""

    def __init__(self, meter: Meter, settings: Settings) -> None:
        self._meter, self._settings = meter, settings

    def load(self, name: str) -> Settings:
        """Return an endpoint's settings."""
        if not self._meter.call("ssm:GetParameter"):
            raise RetryableError("ThrottlingException")
        return replace(self._settings, endpoint=name)


class Timers:
    """Implements `lambdas.rollout.ports.Timers` into the world's queue."""

    def __init__(self, clock: VirtualTime, meter: Meter, world: Any) -> None:
        self._clock, self._meter, self._world = clock, meter, world

    def wake(self, name: str, delay: float, due: float | None = None) -> None:
        """Send one."""
        self._meter.call("sqs:SendMessage")
        self._world.send_timer(name, max(0, math.ceil(delay)), due)

    def wake_all(self, names: Sequence[str]) -> None:
        """Send ten a call."""
        for number, name in enumerate(names):
            if number % 10 == 0:
                self._meter.call("sqs:SendMessage")
            self._world.send_timer(name, 0, None)


class Quiet:
    """Implements what is not measured: the notifier, the log."""

    def tell(self, subject: str, text: str) -> None:
        """Send nothing."""

    def bind(self, **fields: object) -> None:
        """Write nothing."""

    def info(self, message: str) -> None:
        """Write nothing."""

    warning = exception = info
