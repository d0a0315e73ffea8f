"""An endpoint in the engine's care: the engine's own code, the physics, and what happens to them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from lambdas.contract import other_slot
from lambdas.rollout.admission import Said
from lambdas.rollout.fleets import Fleets
from lambdas.rollout.state import Command, Phase, State
from lambdas.rollout.sweeper import PERIOD
from localcloud.clock import VirtualClock
from localcloud.simulation import ports
from localcloud.simulation.alarms import SlotAlarms
from localcloud.simulation.boundary import Boundary
from localcloud.simulation.cloud import Cloud
from localcloud.simulation.deliveries import Deliveries, Timers
from localcloud.simulation.facts import Facts
from localcloud.simulation.guarded_ports import GuardedPorts
from localcloud.simulation.hand import CONSOLE, meddle
from localcloud.simulation.judge import Judge, Violation
from localcloud.simulation.scenarios import BROKEN, NAME, Scenario
from localcloud.simulation.schedule import Fault, Order, Schedule
from localcloud.simulation.store import MemoryStore, Write
from localcloud.simulation.traffic import SteadyTraffic
from localcloud.simulation.workers import News, Workers

_EVENT_SECONDS = 0.5
_PATIENCE_SECONDS = 15.0
"""After this long without anything injected, people end what they hold up."""

_DECISIONS = {"approve version": "Approved", "reject version": "Rejected"}


class World:
    """A scenario that runs.

    Parameters
    ----------
    scenario
        The base.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._begun = False
        self.clock = VirtualClock()
        self.deliveries = Deliveries(self.clock, self._struck)
        self.cloud = Cloud(self.clock, scenario.physics, NAME, scenario.fleet.min_instances, self._endpoint_changed)
        self.store = MemoryStore(self._written)
        self.alarms = SlotAlarms(NAME, self.clock, self.cloud)
        self.facts = Facts(self.clock, self.cloud, self.store, self.alarms, NAME, scenario.end)
        self.judge = Judge(self.facts)
        self.boundary = Boundary(self.clock, self.cloud.sagemaker.faults, self.judge)
        self.registry = ports.Registry(self.clock, NAME)
        self.workers = Workers(self.clock, self.boundary, self._guarded_ports(), NAME, self.judge.unforeseen)
        self._begun = True
        self.workers.act("declare", lambda ports: Fleets(ports).submit(NAME, scenario.fleet))
        self.start = self.judge.start = self.clock.now()
        self._last_act = self.start
        self.clock.call_later(PERIOD, self.workers.tick)
        self._plan(scenario.orders)

    def _guarded_ports(self) -> GuardedPorts:
        return GuardedPorts(
            self.boundary,
            self.clock,
            ports.NoLog(),
            self.alarms,
            store=self.store,
            endpoints=ports.endpoints(self.cloud),
            autoscaling=ports.autoscaling(self.cloud),
            invoker=ports.Model(self.cloud, frozenset({BROKEN})),
            hooks=ports.Hooks(),
            metrics=SteadyTraffic(self.cloud, self.scenario.answers),
            registry=self.registry,
            trust=ports.Unsigned(),
            settings=ports.Parameter(self.scenario.settings),
            timers=Timers(self.deliveries, self._wake),
            notifier=ports.Notifier(),
        )

    @property
    def state(self) -> State:
        """What is durable."""
        state = self.store.durable(NAME)
        if state is None:
            raise LookupError(NAME)
        return state

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self.start

    @property
    def violations(self) -> list[Violation]:
        """What did not hold so far."""
        return self.judge.violations

    # What is injected.

    def inject(self, schedule: Schedule, since: Schedule | None = None) -> None:
        """Let everything of a schedule happen, but for what `since`, which has been injected before, has of it."""
        self.boundary.arm(schedule.faults)
        self.deliveries.arm(schedule.faults, schedule.lost)
        self.facts.injected = replace(self.facts.injected, lost=schedule.lost, orders=len(schedule.orders))
        self._plan(tuple(order for order in schedule.orders if since is None or order not in since.orders))
        if schedule.alarm_at is not None and (since is None or since.alarm_at is None):
            self._later(schedule.alarm_at, self._go_off)

    def _plan(self, orders: tuple[Order, ...]) -> None:
        for order in orders:
            self._later(order.at, partial(self._obey, order))

    def _later(self, at: float, act: Any) -> None:
        self._last_act = max(self._last_act, self.start + at)
        self.clock.call_later(self.start + at - self.clock.now(), act)

    def _go_off(self) -> None:
        rollout = self.state.rollout
        slot = rollout.slot if rollout else other_slot(self.state.live.slot)
        self.facts.went_off(slot)
        news = News(self.alarms.go_off(slot), self.clock.now())
        self.judge.say("ALARM", f"the alarms of {slot} go off")
        self.deliveries.post("event", _EVENT_SECONDS, partial(self.workers.react, news))

    def _obey(self, order: Order) -> None:
        self.judge.say("operator", f"{order.kind} {order.detail}".rstrip())
        if order.kind in _DECISIONS:
            approval = _DECISIONS[order.kind]
            arn = self.registry.decide(order.detail, approval)
            said = Said(approval, float(int(self.clock.now())))
            self.deliveries.post("event", _EVENT_SECONDS, partial(self.workers.admit, arn, said))
        elif order.kind == "declare fleet":
            fleet = replace(self.scenario.fleet, instance_type=order.detail)
            self.workers.act("declare", lambda ports: Fleets(ports).submit(NAME, fleet))
        elif order.kind == CONSOLE:
            meddle(self.cloud, order.detail)
            self.facts.meddled()
        else:
            at = float(int(self.clock.now()))
            full, to = order.detail == "full", order.detail if order.kind == "rollback" else ""
            command = Command(f"{order.kind}-{order.at:.2f}", order.kind, at, "ops", full=full, to=to)
            self.deliveries.post("command", _EVENT_SECONDS, partial(self.workers.react, command))

    # What the world tells.

    def _endpoint_changed(self, *_: Any, **__: Any) -> None:
        if not self._begun:
            return
        self.facts.endpoint_changed()
        if self.judge.record is not None:
            self.judge.record.endpoint()
        self.deliveries.post("event", _EVENT_SECONDS, self.workers.react)

    def _wake(self, due: float | None) -> None:
        self.workers.timer(due)

    def _struck(self, fault: Fault, what: str) -> None:
        self.judge.struck(self.boundary.worker, what, fault, self.clock.now() + 60.0)

    def _written(self, write: Write) -> None:
        self.judge.written(self.boundary.worker, write)

    # Time.

    def step(self) -> None:
        """Let the next thing happen, with all that falls due while it does."""
        due = self.clock.next_due()
        assert due is not None, "the sweeper never stops"
        self.clock.advance(max(due - self.clock.now(), 0.0))
        self.judge.passed()
        if self.clock.now() > max(self._last_act, self.facts.faulty_until) + _PATIENCE_SECONDS:
            self._let_go()

    def _let_go(self) -> None:
        """Let people end what they hold up, for nothing else would."""
        state, now = self.state, self.seconds
        rollout = state.rollout
        if state.frozen is not None:
            self._plan((Order("unfreeze", now),))
        elif rollout is not None and rollout.paused:
            self._plan((Order("resume", now),))
        elif rollout is not None and rollout.phase is Phase.APPROVE:
            self._plan((Order("approve", now),))

    @property
    def over(self) -> bool:
        """Whether all that is injected has happened, nothing is under way, and somebody has looked since."""
        state = self.state
        if state.rollout is not None or state.lease_owner is not None or state.commands or self.facts.is_busy:
            return False
        if self.workers.repeats or self.clock.now() < self._last_act + 2 * _EVENT_SECONDS:
            return False
        return self.facts.looked_at > max(self._last_act, self.facts.faulty_until) and not state.has_work

    def steps(self) -> Iterator[None]:
        """Let time pass until all is over, or a violation, or patience has run out; yields before every step."""
        patience = self.start + self.scenario.patience
        while not self.over and not self.violations and self.clock.now() < patience:
            yield
            self.step()
        if not self.violations:
            self.judge.ended(self.over)

    def run(self) -> None:
        """Let time pass until the end."""
        for _ in self.steps():
            continue
