"""Drives the engine in virtual time: timers, endpoint events and the minute's sweep, with crashes where wanted."""

import heapq
import itertools
import sys
from collections.abc import Callable
from typing import Any

from lambdas.rollout.admission import Said
from lambdas.rollout.approvals import Approvals
from lambdas.rollout.engine import Engine
from lambdas.rollout.errors import LeaseHeldError, TidegateError
from lambdas.rollout.fleet import Fleet
from lambdas.rollout.fleets import Fleets
from lambdas.rollout.operators import take_command
from lambdas.rollout.ports import Package, Ports
from lambdas.rollout.state import TERMINAL, Command, Phase, State
from lambdas.rollout.sweeper import Sweeper
from tests.unit.trust import FakeTrust

fakes: Any = sys.modules["rollout_fakes"]
NAME = fakes.NAME
CALL_SECONDS = 0.05


class CrashError(BaseException):
    """The worker is killed; nothing of the engine's may catch this."""


class Crashes:
    """Kills the worker before or after its call number `at`."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.after = False
        self.count = 0

    def around(self, call: Callable[..., Any], *args: Any, **options: Any) -> Any:
        self.count += 1
        struck = self.count == self.at
        if struck and not self.after:
            raise CrashError
        result = call(*args, **options)
        if struck:
            raise CrashError
        return result


class Watched:
    """A port whose every call takes time and may be the worker's last; what it asserts must hold is noted."""

    def __init__(self, target: Any, crashes: Crashes, clock: Any, broken: list[str]) -> None:
        self._target, self._crashes, self._clock, self._broken = target, crashes, clock, broken

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._target, name)

        def call(*args: Any, **options: Any) -> Any:
            self._clock.time += CALL_SECONDS
            try:
                return self._crashes.around(method, *args, **options)
            except AssertionError as error:
                # The engine takes any error for a failed call.
                self._broken.append(f"{name}: {error}")
                raise

        return call


class World:
    """An endpoint in the engine's care.

    Parameters
    ----------
    lose_timers, lose_events
        Whether the timer queue, and the endpoint's and alarms' events, deliver nothing.
    twice
        Whether each event and timer is delivered twice.
    """

    def __init__(self, *, lose_timers: bool = False, lose_events: bool = False, twice: bool = False) -> None:
        self.clock = fakes.FakeClock()
        self.store = fakes.FakeStore()
        self.endpoint = fakes.FakeEndpoint(self.clock)
        self.sagemaker = fakes.FakeSageMaker(self.clock, self.endpoint)
        self.alarms, self.metrics = fakes.FakeAlarms(self.sagemaker), fakes.FakeMetrics(self.sagemaker)
        self.hooks, self.trust = fakes.FakeHooks(), FakeTrust()
        self.invoker, self.notifier, self.log = fakes.FakeInvoker(), fakes.FakeNotifier(), fakes.FakeLog()
        self.settings, self.timers = fakes.FakeSettings(), fakes.FakeTimers(self._send, lose_timers)
        self.crashes = Crashes()
        self.broken: list[str] = []
        self.looks: list[float] = []
        self._queue: list[tuple[float, int, str, dict[str, Any]]] = []
        self._order = itertools.count()
        self._lose_events, self._copies = lose_events, 2 if twice else 1
        self.store.on_save = self._watch_save
        self.sagemaker.on_mutation = self._watch_mutation
        self.sagemaker.changed = lambda at: self.post(at - self.clock.now() + 0.5, {"endpoint": NAME})
        self.ports = self._ports()
        Fleets(self.ports).submit(NAME, fakes.FLEET)
        heapq.heappush(self._queue, (self.clock.now() + 60, next(self._order), "tick", {}))

    def _ports(self) -> Ports:
        def watched(target: Any) -> Any:
            return Watched(target, self.crashes, self.clock, self.broken)

        sagemaker = watched(self.sagemaker)
        return Ports(
            store=watched(self.store),
            endpoints=sagemaker,
            invoker=watched(self.invoker),
            hooks=watched(self.hooks),
            alarms=watched(self.alarms),
            metrics=watched(self.metrics),
            autoscaling=sagemaker,
            registry=watched(fakes.FakeRegistry(self.sagemaker)),
            trust=watched(self.trust),
            settings=watched(self.settings),
            timers=watched(self.timers),
            notifier=watched(self.notifier),
            clock=self.clock,
            log=self.log,
        )

    # What happens in the world.

    def post(self, delay: float, body: dict[str, Any]) -> None:
        """Deliver an event of the endpoint or an alarm."""
        if not self._lose_events:
            self._send(delay, body)

    def _send(self, delay: float, body: dict[str, Any]) -> None:
        for copy in range(self._copies):
            at = self.clock.now() + max(delay, 0) + copy
            heapq.heappush(self._queue, (at, next(self._order), "look", body))

    def register(self, version: str = "1.1.0", **changes: Any) -> str:
        """Register a package that waits for approval, and return its ARN."""
        arn = f"arn:aws:sagemaker:us-east-1:111122223333:model-package/{NAME}/{len(self.sagemaker.packages) + 1}"
        container = {"Image": f"{fakes.REPOSITORY}:0", "ModelDataUrl": f"s3://{fakes.BUCKET}/{version}/model.tar.gz"}
        fields = {"approval": "PendingManualApproval", "status": "Completed", "containers": [container], **changes}
        self.sagemaker.packages[arn] = Package(
            arn=arn, group=NAME, modified_at=self.clock.now(), version=version, **fields
        )
        return arn

    def decide(self, arn: str, approval: str, *, tell: bool = True) -> Said:
        """Approve or reject a package; `tell` delivers the event."""
        package = self.sagemaker.packages[arn]
        fields = {**vars(package), "approval": approval, "modified_at": self.clock.now()}
        self.sagemaker.packages[arn] = Package(**fields)
        said = Said(approval, float(int(self.clock.now())))
        if tell:
            self.hear(arn, said)
        return said

    def hear(self, arn: str, said: Said) -> None:
        """Deliver a package's event."""
        self._guarded(lambda: Approvals(self.ports).consider(NAME, arn, said))

    def approve(self, version: str = "1.1.0", **changes: Any) -> str:
        """Register and approve a version, and deliver the event."""
        arn = self.register(version, **changes)
        self.decide(arn, "Approved")
        return arn

    def declare(self, fleet: Fleet) -> None:
        """Deploy another fleet."""
        Fleets(self.ports).submit(NAME, fleet)

    def command(self, kind: str, identity: str = "c1", **fields: Any) -> dict[str, Any]:
        """Send an operator's command and return the one audit entry that it leaves."""
        take_command(self.ports, NAME, Command(identity, kind, self.clock.now(), "ops", **fields))
        self._look({"endpoint": NAME})
        found = [each for each in self.store.audit if each["numbers"].get("command") == identity]
        assert len(found) == 1, f"{len(found)} audit entries of the command {identity}"
        return found[0]

    def fail(self, slot: str) -> None:
        """Let a slot's alarms go off."""
        self.alarms.bad[slot] = "ALARM"
        self.post(0.5, {"endpoint": NAME})

    # Time.

    def until(self, done: Callable[[State], bool], limit: float = 4000.0) -> State:
        """Let time pass until the state is as wanted, and return it."""
        end = self.clock.now() + limit
        while not done(self.store.state):
            assert self.clock.now() < end, f"{self.describe()} after {limit} s"
            self._step()
        state: State = self.store.state
        return state

    def until_phase(self, *phases: Phase) -> State:
        """Let time pass until the rollout is in a phase."""
        return self.until(lambda state: state.rollout is not None and state.rollout.phase in phases)

    def until_over(self, limit: float = 4000.0) -> State:
        """Let time pass until nothing is under way any more."""
        return self.until(lambda state: state.rollout is None and not state.has_work, limit)

    def pass_time(self, seconds: float) -> State:
        """Let time pass."""
        end = self.clock.now() + seconds
        while self._queue[0][0] <= end:
            self._step()
        self.clock.time = max(self.clock.time, end)
        state: State = self.store.state
        return state

    def _step(self) -> None:
        at, _, kind, body = heapq.heappop(self._queue)
        self.clock.time = max(self.clock.time, at)
        self.endpoint.settle()
        if kind == "tick":
            heapq.heappush(self._queue, (at + 60, next(self._order), "tick", {}))
            self._guarded(lambda: Sweeper(self.ports, self._engine()).sweep())
        else:
            self._look(body)

    def _look(self, body: dict[str, Any]) -> None:
        self.looks.append(self.clock.now())
        try:
            self._guarded(lambda: self._engine().run(body["endpoint"], body.get("due")))
        except LeaseHeldError:
            heapq.heappush(self._queue, (self.clock.now() + 2, next(self._order), "look", body))

    def _engine(self) -> Engine:
        return Engine(self.ports, f"worker-{next(self._order)}")

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except LeaseHeldError:
            raise
        except (CrashError, TidegateError):
            return

    # What must always hold.

    def _watch_save(self, before: State | None, after: State) -> None:
        old, new = before.rollout if before else None, after.rollout
        if old is None or new is None or old.id != new.id:
            return
        self._require(not old.abort_reason or new.abort_reason == old.abort_reason, "an abort was undone")
        self._require(0 <= new.step - old.step <= 1, f"step {old.step} -> {new.step}")
        self._require(old.phase not in TERMINAL, "a terminal phase was left")

    def _watch_mutation(self, kind: str, argument: Any) -> None:
        state = self.store.state
        rollout = state.rollout
        self._require(state.retired or state.lease_until > self.clock.now(), f"{kind} without a lease")
        if kind in ("update", "set_weights", "create_model", "create_config"):
            self._require(rollout is not None, f"{kind} without a rollout")
        if kind == "update":
            self._require(rollout.sent and rollout.sent.target == argument, f"update to {argument} was not intended")
        if kind == "set_weights":
            share = argument[rollout.slot]
            self._require(sum(argument.values()) == 100, f"weights {argument}")
            self._require(not (rollout.abort_reason and share > 0), "a canary's weight rose after the abort")
            intended = 100 if rollout.phase is Phase.FINALIZE else rollout.weight if rollout.phase is Phase.SHIFT else 0
            self._require(share == intended, f"weight {share} in {rollout.phase} is not {intended}")
        if kind == "set_capacity":
            prepares = rollout is not None and rollout.phase in (Phase.SHADOW, Phase.PREPARE)
            shares = rollout is not None and rollout.policy.capacity == "share" and rollout.phase is Phase.SHIFT
            self._require(rollout is None or prepares or shares, f"capacity changed in {rollout and rollout.phase}")
        if kind == "delete_config":
            self._require(argument not in (self.endpoint.config, state.previous_config, state.seed_config), argument)

    def _require(self, holds: object, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def check(self) -> None:
        """Fail when something that must always hold did not."""
        assert self.broken == []

    def describe(self) -> str:
        """Return where things stand, for a failing test."""
        return f"{self.store.state.rollout}\n{self.endpoint}\n" + "\n".join(self.store.texts()[-8:])

    @property
    def outcomes(self) -> list[tuple[str, str | None]]:
        """Version and outcome of every rollout, in their order."""
        found = [self.store.summaries[each] for each in sorted(self.store.summaries)]
        return [(each["version"], each["outcome"]) for each in found]
