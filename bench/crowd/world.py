"""A crowd of endpoints that all roll out: what wakes whom, and how long each has waited."""

import heapq
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from bench.crowd.budget import Budget
from bench.crowd.functions import Crew, Function, TimerQueue
from bench.crowd.meter import START, Meter, VirtualTime
from bench.crowd.physics import Endpoint
from bench.crowd.ports import Approved, CloudWatch, Hosting, Parameters, Quiet, SteadyTraffic, Table, Timers
from lambdas import contract
from lambdas.rollout.adapters.clients import Lazy
from lambdas.rollout.adapters.cloudwatch import CloudWatchAlarms
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, TidegateError
from lambdas.rollout.evidence import Evidence
from lambdas.rollout.fleet import Capture, Fleet
from lambdas.rollout.handlers.react import WHILE_HELD
from lambdas.rollout.policy import Policy, Step
from lambdas.rollout.ports import Ports
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import Candidate, Phase, State
from lambdas.rollout.sweeper import PERIOD, Sweeper

REPOSITORY = "111122223333.dkr.ecr.us-east-1.amazonaws.com/serving"
POLICY = Policy(
    steps=(Step(5, 300), Step(25, 300), Step(50, 300), Step(100)), soak_seconds=600, progress_deadline_seconds=7200
)
EVIDENCE = Evidence(periods=3, period_seconds=10, min_requests=10, error_rate_percent=5.0)
FLEET = Fleet(
    image=f"{REPOSITORY}:1",
    instance_type="ml.g5.xlarge",
    min_instances=1,
    max_instances=4,
    target_invocations_per_instance=600,
    inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1",
    capture=Capture(True, 100, "s3://artefacts/capture"),
    startup_timeout_seconds=600,
    download_timeout_seconds=600,
    metrics_period_seconds=10,
    network_isolation=True,
)
SETTINGS = Settings(
    environment="prod",
    endpoint="",
    execution_role_arn="arn:aws:iam::111122223333:role/run",
    image_repositories=(REPOSITORY,),
    artefact_bucket="artefacts",
    policy=POLICY,
    evidence=EVIDENCE,
    fleet=FLEET,
)


@dataclass(frozen=True)
class Plan:
    """What happens: so many endpoints start within `start_seconds`, and `failing` of them go bad at `alarm_at`.

    Those that do are in the midst of a bake: what an endpoint that changes its weights just then waits for is AWS's.
    """

    endpoints: int = 1000
    minutes: int = 20
    start_seconds: float = 180.0
    failing: int = 100
    alarm_at: float = 1000.0
    lose_timers: bool = False


@dataclass(frozen=True)
class EventSource:
    """How the timer queue feeds `react`."""

    size: int = 10
    window: float = 1.0
    at_once: int = 10


class Crowd:
    """The endpoints, the functions and what lies between them.

    Parameters
    ----------
    plan, budget, source
        What happens; what AWS takes and how long that lasts; the timer queue's event source.
    """

    def __init__(self, plan: Plan, budget: Budget, source: EventSource | None = None) -> None:
        source = source or EventSource()
        self.plan, self.clock = plan, VirtualTime()
        self.meter = Meter(self.clock, budget)
        self.react = Function(self.clock, self.meter, budget.model.cold_start)
        self.tick = Function(self.clock, self.meter, budget.model.cold_start)
        self.lags: list[float] = []
        self.gaps: list[float] = []
        self.sweeps: list[float] = []
        self.taken_off: dict[str, float] = {}
        self._event_seconds = budget.model.event
        self._looked: dict[str, float] = {}
        self._busy: dict[str, float] = {}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._queue = TimerQueue(
            self.clock,
            self._post,
            self._batch,
            size=source.size,
            window=source.window,
            at_once=source.at_once,
        )
        self.bad: dict[str, float] = {}
        self.endpoints = {name: Endpoint(name, f"{name}-seed") for name in _names(plan.endpoints)}
        self._cloudwatch = CloudWatch(self.clock, self.meter, self.bad)
        self.table = Table(self.clock, self.meter)
        self._ports = self._make_ports()
        self._fill()

    def _make_ports(self) -> Ports:
        quiet: Any = Quiet()
        hosting: Any = Hosting(self.clock, self.meter, self.endpoints, self)
        return Ports(
            store=self.table,
            endpoints=hosting,
            invoker=quiet,
            hooks=quiet,
            alarms=self._alarms(),
            metrics=SteadyTraffic(self.meter),
            autoscaling=hosting,
            registry=Approved(self.meter),
            trust=quiet,
            settings=Parameters(self.meter, SETTINGS),
            timers=Timers(self.clock, self.meter, self),
            notifier=quiet,
            clock=self.clock,
            log=quiet,
        )

    def _fill(self) -> None:
        random = Random(3)
        for name, endpoint in self.endpoints.items():
            endpoint.configs[endpoint.config] = ("blue",)
            arn = f"arn:aws:sagemaker:us-east-1:111122223333:model-package/{name}/1"
            container = {"Image": f"{REPOSITORY}:0", "ModelDataUrl": "s3://artefacts/1.1.0/model.tar.gz"}
            at = START + random.uniform(0, self.plan.start_seconds)
            state = replace(
                State.first(name, endpoint.config, FLEET), queued=Candidate(arn, "1.1.0", at, container), wake=at
            )
            self.table.states[name] = replace(state, version=1)
            self._post(at, partial(self._queue.add, at, (name, None)))  # as `admit` does

    # What the world does.

    def run(self) -> None:
        """Let all of the time pass."""
        end = START + 60 * self.plan.minutes
        self._post(START + PERIOD, lambda: self._sweep(START + PERIOD))
        self._post(START + self.plan.alarm_at, self._go_bad)
        while self._events and self._events[0][0] <= end:
            heapq.heappop(self._events)[2]()

    def _post(self, at: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at, next(self._order), action))

    def _go_bad(self) -> None:
        at = START + self.plan.alarm_at
        watched = [name for name, state in self.table.states.items() if _bakes(state, self.endpoints[name], at)]
        random = Random(4)
        for name in random.sample(watched, min(self.plan.failing, len(watched))):
            rollout = self.table.states[name].rollout
            assert rollout is not None
            self.endpoints[name].bad_at = at
            for alarm in (contract.unhealthy_alarm, contract.error_rate_alarm):
                self.bad[alarm(name, rollout.slot)] = at
            heard = contract.unhealthy_alarm(name, rollout.slot)
            start = at + self._event_seconds * random.uniform(0.5, 2)
            self._post(start, partial(self._event, start, name, heard))

    def endpoint_changes(self, name: str, until: float) -> None:
        """Be told that an endpoint is in service again from then on."""
        start = until + self._event_seconds
        self._post(start, lambda: self._queue.add(start, (name, None)))

    def weights_set(self, name: str, weights: Mapping[str, float]) -> None:
        """Be told of a weight call."""
        endpoint, now = self.endpoints[name], self.clock.now()
        if endpoint.bad_at <= now and 0.0 in weights.values() and name not in self.taken_off:
            self.taken_off[name] = now - endpoint.bad_at

    def send_timer(self, name: str, delay: float, due: float | None) -> None:
        """Be told of a timer; those that are armed may all get lost."""
        if self.plan.lose_timers and due is not None:
            return
        at = self.clock.now() + delay
        self._post(at, lambda: self._queue.add(at, (name, due)))

    # What the functions do, as their handlers have it.

    def _event(self, at: float, name: str, alarm: str | None = None) -> None:
        self.react.invoke(at, lambda: self._on_event(name, alarm))

    def _on_event(self, name: str, alarm: str | None) -> None:
        ports = self._fresh()
        if alarm:
            ports.alarms.hear(alarm, "")
        try:
            self._engine(ports).run(name)
        except LeaseHeldError:
            ports.timers.wake(name, WHILE_HELD)
        except TidegateError:
            return

    def _batch(self, at: float, messages: list[tuple[str, float | None]]) -> float:
        return self.react.invoke(at, lambda: self._on_timers(messages))

    def _on_timers(self, messages: list[tuple[str, float | None]]) -> None:
        ports = self._fresh()
        if len(messages) > 1:
            ports.alarms.expect([name for name, _ in messages])
        Crew(self.clock)(lambda message: self._on_timer(ports, *message), messages)

    def _on_timer(self, ports: Ports, name: str, due: float | None) -> None:
        try:
            self._engine(ports).run(name, due)
        except LeaseHeldError:
            ports.timers.wake(name, WHILE_HELD)
        except TidegateError:
            return

    def _sweep(self, at: float) -> None:
        ports = self._fresh()
        end = self.tick.invoke(at, lambda: self._swept(ports))
        self.sweeps.append(end - at)
        self._post(at + PERIOD, lambda: self._sweep(at + PERIOD))

    def _swept(self, ports: Ports) -> None:
        Sweeper(ports, self._engine(ports), Crew(self.clock)).sweep()

    def _fresh(self) -> Ports:
        return replace(self._ports, alarms=self._alarms())

    def _alarms(self) -> CloudWatchAlarms:
        return CloudWatchAlarms(Lazy("cloudwatch", lambda _: self._cloudwatch), self.clock.elapsed, self.clock.sleep)

    def _engine(self, ports: Ports) -> Engine:
        return _Noted(ports, f"worker-{next(self._order)}", self)

    def begins(self, name: str) -> None:
        """Note how long an endpoint has waited for the look that begins; refuse one while another has not ended."""
        now, state = self.clock.now(), self.table.states[name]
        if self._busy.get(name, 0.0) > now:
            raise LeaseHeldError(name)
        if state.wake is not None:
            self.lags += [now - state.wake] if now >= state.wake else []
            self.gaps += [now - self._looked[name]] if name in self._looked else []

    def ends(self, name: str) -> None:
        """Note that a look has ended."""
        self._busy[name] = self._looked[name] = self.clock.now()


class _Noted(Engine):
    """The engine; its looks are noted."""

    def __init__(self, ports: Ports, owner: str, crowd: Crowd) -> None:
        super().__init__(ports, owner)
        self._crowd = crowd

    def run(self, name: str, due: float | None = None) -> None:
        """Look."""
        self._crowd.begins(name)
        try:
            super().run(name, due)
        finally:
            self._crowd.ends(name)


def _names(count: int) -> list[str]:
    return [f"model-{number:0{len(str(count))}d}-prod" for number in range(count)]


def _bakes(state: State, endpoint: Endpoint, now: float) -> bool:
    rollout = state.rollout
    if rollout is None or rollout.phase is not Phase.BAKE or endpoint.busy(now):
        return False
    return rollout.verified_since is not None and rollout.verified_since + POLICY.bake_of(rollout.step) > now + PERIOD


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share lies."""
    return sorted(values)[min(len(values) - 1, math.floor(share * len(values)))] if values else 0.0
