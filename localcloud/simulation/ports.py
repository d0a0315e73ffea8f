"""The engine's ports to the simulated world: the real adapters over the physics, and light ones for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

from lambdas import contract
from lambdas.contract import SLOTS, other_slot
from lambdas.rollout import ports
from lambdas.rollout.adapters.autoscaling import ApplicationAutoscaling
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.cloudwatch import CloudWatchAlarms
from lambdas.rollout.adapters.sagemaker import SageMakerEndpoints
from lambdas.rollout.comparison import Totals
from lambdas.rollout.errors import ModelAnswerError, PermanentError, RetryableError
from lambdas.rollout.evidence import Answered, Evidence, Period
from lambdas.rollout.judge import Series, Stratum, Tally
from lambdas.rollout.policy import Hook, SmokeTest
from lambdas.rollout.ports import Answer, Package, Ports
from lambdas.rollout.settings import Settings
from localcloud.clock import VirtualClock
from localcloud.simulation.boundary import Boundary
from localcloud.simulation.cloud import ACCOUNT, BUCKET, REGION, REPOSITORY, Cloud, lazy

REQUESTS_PER_SECOND = 40.0
CLEARING_SECONDS = 60.0
PAUSE_SECONDS = 0.4
READ_ALARMS = "alarms.describe_alarms"


class EngineClock:
    """Implements `lambdas.rollout.ports.Clock` over virtual time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> float:
        """Return epoch seconds."""
        return self._clock.now()

    def elapsed(self) -> float:
        """Return seconds on a clock that never jumps."""
        return self._clock.now()


@dataclass
class SlotAlarms:
    """CloudWatch's client, of alarms that say OK of a slot with traffic, until the schedule lets them go off.

    They stay in ALARM as long as the slot has instances, and a while longer: that the metrics calm down without traffic
    must not matter.
    """

    name: str
    clock: VirtualClock
    cloud: Cloud
    since: dict[str, float] = field(default_factory=dict)

    def go_off(self, slot: str) -> str:
        """Put a slot's alarms into ALARM, and return the composite one's name."""
        self.since[slot] = self.clock.now()
        return contract.unhealthy_alarm(self.name, slot)

    def describe_alarms(self, **_request: Any) -> dict[str, Any]:
        """Show all alarms of both slots, asked for or not."""
        composites, metrics = [], []
        for slot in SLOTS:
            state = self._state(slot)
            composites.append(_shown(contract.unhealthy_alarm(self.name, slot), "ALARM" if state == "ALARM" else "OK"))
            metrics.append(_shown(contract.error_rate_alarm(self.name, slot), state))
            quiet = "OK" if self.cloud.answers(slot) else "INSUFFICIENT_DATA"
            metrics.append(_shown(contract.latency_alarm(self.name, slot), quiet))
        return {"CompositeAlarms": composites, "MetricAlarms": metrics}

    def _state(self, slot: str) -> str:
        gone = self.cloud.endpoint is None or slot not in self.cloud.endpoint.hosted()
        if gone and self.clock.now() > self.since.get(slot, 0.0) + CLEARING_SECONDS:
            self.since.pop(slot, None)
        if slot in self.since:
            return "ALARM"
        return "OK" if self.cloud.answers(slot) else "INSUFFICIENT_DATA"


def _shown(name: str, state: str) -> dict[str, Any]:
    return {"AlarmName": name, "StateValue": state, "StateReason": "21.0 > 5.0" if state == "ALARM" else ""}


@dataclass(frozen=True)
class Answers:
    """How a version answers: the share of 5xx, how long it takes, and whether that can be compared with the live one.

    `slow_percent` is the share of its requests that take longer than the live version's 99th percentile.
    """

    error_percent: float = 0.0
    latency_ms: float = 20.0
    slow_percent: float = 1.0
    comparable: bool = True


_WELL = Answers()


@dataclass
class SteadyTraffic:
    """Counts of a steady stream of requests, of which a slot gets its share, and which its version answers its way."""

    cloud: Cloud
    answers: Mapping[str, Answers]
    _requests: dict[float, dict[str, int]] = field(default_factory=dict)
    """What each slot answered in a period, as it was when that was first looked at."""

    def answered(
        self,
        name: str,  # noqa: ARG002 - the port's
        slot: str,
        asked: Evidence,
        since: float,
        now: float,
        *,
        p99: bool = False,
    ) -> Answered:
        """Count a slot's answers in the whole periods between two times."""
        start, end = asked.span(since, now)
        requests, how = self._count(slot, asked.period_seconds), self._how(slot)
        count, latency = int((end - start) / asked.period_seconds), how.latency_ms if p99 else None
        errors = int(requests * how.error_percent / 100)
        return Answered(
            tuple(Period(start + n * asked.period_seconds, requests, errors, latency) for n in range(count))
        )

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> dict[str, Totals]:  # noqa: ARG002
        """Add up both slots' answers in the whole periods between two times."""
        start, end = asked.span(since, now)
        return {slot: self._total(self._count(slot, end - start), self._how(slot)) for slot in SLOTS}

    def baseline_p99(self, name: str, slot: str, now: float) -> float | None:  # noqa: ARG002 - the port's
        """Return the 99th percentile of a slot's latency."""
        return 2 * self._how(slot).latency_ms

    def series(
        self,
        name: str,  # noqa: ARG002 - the port's
        slot: str,
        asked: Evidence,
        since: float,
        now: float,
        threshold_ms: float | None,
    ) -> Series:
        """Count errors and slow answers of a new version and of the live one."""
        if not self._how(slot).comparable:
            raise RetryableError("CloudWatch has not given all of the metrics")
        start, end = asked.span(since, now - asked.period_seconds)
        count = int((end - start) / asked.period_seconds)
        times = [start + n * asked.period_seconds for n in range(count)]
        errors = tuple(self._stratum(at, slot, asked, "error_percent") for at in times)
        slow = tuple(self._stratum(at, slot, asked, "slow_percent") for at in times)
        return Series(asked.period_seconds, errors, slow if threshold_ms else (), threshold_ms)

    def _stratum(self, at: float, slot: str, asked: Evidence, bad: str) -> Stratum:
        seen = self._requests.get(at)
        if seen is None:
            seen = self._requests[at] = {each: self._count(each, asked.period_seconds) for each in SLOTS}
        return Stratum(at, *(_tally(seen[each], getattr(self._how(each), bad)) for each in (slot, other_slot(slot))))

    def _count(self, slot: str, seconds: float) -> int:
        return int(REQUESTS_PER_SECOND * self.cloud.answers(slot) / 100 * seconds)

    def _how(self, slot: str) -> Answers:
        url = self.cloud.artefact(slot) if self.answers else ""
        return next((answers for version, answers in self.answers.items() if f"/{version}/" in url), _WELL)

    @staticmethod
    def _total(requests: int, how: Answers) -> Totals:
        return Totals(requests, int(requests * how.error_percent / 100), requests * how.latency_ms)


def _tally(requests: int, bad_percent: float) -> Tally:
    return Tally(int(requests * bad_percent / 100), requests)


@dataclass
class Hooks:
    """Functions whose names say what they answer: ``go``, ``no-go``, ``error``, or ``waits`` once before it says go."""

    asked: set[str] = field(default_factory=set)

    def ask(self, hook: Hook, question: Mapping[str, Any]) -> Answer:
        """Return the function's answer."""
        says, identity = hook.function.rpartition(":")[2], str(question["id"])
        if says == "error":
            raise PermanentError("the function failed")
        if says == "waits" and identity not in self.asked:
            self.asked.add(identity)
            return Answer("wait", "not yet")
        return Answer("no-go" if says == "no-go" else "go")


@dataclass
class Model:
    """Answers the smoke test; versions in `broken` fail it."""

    cloud: Cloud
    broken: frozenset[str]

    def invoke(self, name: str, slot: str, test: SmokeTest) -> None:  # noqa: ARG002 - the port's
        """Return when the variant has answered well."""
        endpoint = self.cloud.endpoint
        if endpoint is None or slot not in endpoint.variants:
            raise PermanentError(f"ValidationError: there is no variant {slot}")
        url = endpoint.variants[slot].model.data_url or ""
        if any(f"/{version}/" in url for version in self.broken):
            raise ModelAnswerError("the model answered 500")


@dataclass
class Registry:
    """The model registry."""

    clock: VirtualClock
    group: str
    packages: dict[str, Package] = field(default_factory=dict)

    def describe(self, arn: str) -> Package | None:
        """Return a package, or None when there is none."""
        return self.packages.get(arn)

    def approved(self, group: str) -> list[str]:  # noqa: ARG002 - the port's
        """Return the ARNs of a group's approved packages, the newest first."""
        return [arn for arn, package in reversed(self.packages.items()) if package.approval == "Approved"]

    def arn(self, version: str) -> str:
        """Return a version's ARN."""
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/{self.group}/{version.replace('.', '')}"

    def decide(self, version: str, approval: str) -> str:
        """Register a version unless it is there, approve or reject it, and return its ARN."""
        arn = self.arn(version)
        if arn not in self.packages:
            container = {"Image": f"{REPOSITORY}:0", "ModelDataUrl": f"s3://{BUCKET}/{version}/model.tar.gz"}
            package = Package(arn, self.group, "", "Completed", 0.0, version, (container,))
            self.packages[arn] = package
        self.packages[arn] = replace(self.packages[arn], approval=approval, modified_at=self.clock.now())
        return arn


@dataclass
class Parameter:
    """The endpoint's parameter."""

    settings: Settings

    def load(self, name: str) -> Settings:  # noqa: ARG002 - the port's
        """Return an endpoint's settings."""
        return self.settings


class Unsigned:
    """Implements `lambdas.rollout.ports.Trust` where no model is signed."""

    def is_valid(self, key: str, message: bytes, signature: bytes) -> bool:  # noqa: ARG002 - the port's
        """Return that nothing is."""
        return False

    def sha256(self, uri: str) -> str:
        """Return no digest."""
        raise PermanentError(f"{uri} holds nothing here")


class Notifier:
    """Tells nobody."""

    def tell(self, subject: str, text: str) -> None:
        """Send a notification."""


class NoLog:
    """Implements `lambdas.rollout.ports.Log` and writes nothing.

    Errors that nobody foresaw go to the judge, by `Workers`.
    """

    def bind(self, **fields: object) -> None:
        """Add fields to every line from here on."""

    def info(self, message: str) -> None:
        """Write a line."""

    def warning(self, message: str) -> None:
        """Write a line that somebody may want to look at."""

    def exception(self, message: str) -> None:
        """Write a line about the error that is being handled."""


def endpoints(cloud: Cloud) -> SageMakerEndpoints:
    """Return the real adapter over the physics."""
    return SageMakerEndpoints(lazy(cloud.sagemaker))


def autoscaling(cloud: Cloud) -> ApplicationAutoscaling:
    """Return the real adapter over the physics."""
    return ApplicationAutoscaling(lazy(cloud.autoscaling))


_PROTOCOLS: dict[str, type] = {
    "store": ports.Store,
    "endpoints": ports.Endpoints,
    "invoker": ports.Invoker,
    "hooks": ports.Hooks,
    "metrics": ports.Metrics,
    "autoscaling": ports.Autoscaling,
    "trust": ports.Trust,
    "registry": ports.Registry,
    "settings": ports.SettingsSource,
    "timers": ports.Timers,
    "notifier": ports.Notifier,
}


class Border:
    """Makes the engine's ports, all of whose calls go through the boundary.

    Parameters
    ----------
    boundary, clock, log
        The border, time, and where the engine writes its log.
    alarms
        CloudWatch's client.
    targets
        What stands behind the other ports, by name.
    """

    def __init__(self, boundary: Boundary, clock: VirtualClock, log: Any, alarms: SlotAlarms, **targets: Any) -> None:
        watched: Any = {name: _guarded(boundary, name, target) for name, target in targets.items()}
        describe = partial(boundary.call, READ_ALARMS, alarms.describe_alarms)
        client = SimpleNamespace(describe_alarms=describe)
        self._clock = clock
        self._cloudwatch = Lazy("cloudwatch", lambda _: client)
        self._ports = Ports(clock=EngineClock(clock), log=log, alarms=CloudWatchAlarms(self._cloudwatch), **watched)

    def ports(self) -> Ports:
        """Return the ports for one invocation: what it has heard of alarms, no other knows."""
        alarms = CloudWatchAlarms(self._cloudwatch, self._clock.now, self._pause)
        # As `dataclasses.replace` does, in a fraction of the time: there are millions of invocations.
        ports = object.__new__(Ports)
        ports.__dict__.update(self._ports.__dict__, alarms=alarms)
        return ports

    def _pause(self, _seconds: float) -> None:
        # Always the same, whatever the dice say: a schedule must be the same every time.
        self._clock.advance(PAUSE_SECONDS)


def _guarded(boundary: Boundary, port: str, target: Any) -> Any:
    methods = [name for name in vars(_PROTOCOLS[port]) if not name.startswith("_")]
    return SimpleNamespace(
        **{name: partial(boundary.call, f"{port}.{name}", getattr(target, name)) for name in methods}
    )
