"""What has really happened so far, as far as the invariants speak of it."""

from collections import Counter
from dataclasses import dataclass, field, replace

from lambdas.rollout.state import FORWARD, TERMINAL, Rollout, State
from localcloud.clock import VirtualClock
from localcloud.physics.records import IN_SERVICE
from localcloud.simulation.alarms import READ_ALARMS, SlotAlarms
from localcloud.simulation.boundary import Worker
from localcloud.simulation.cloud import Cloud
from localcloud.simulation.ends import End, Injected, Struck, described
from localcloud.simulation.store import MemoryStore, Write

NO_WEIGHT = -1.0
"""Of a shadow, and of a variant whose weight is being changed."""


@dataclass(frozen=True)
class Standing:
    """Since when a slot has verifiably had this weight."""

    weight: float
    since: float


@dataclass
class Facts:
    """The history of one endpoint, told by those who made it, not by the engine."""

    clock: VirtualClock
    cloud: Cloud
    store: MemoryStore
    alarms: SlotAlarms
    name: str
    end: End
    injected: Injected = field(default_factory=Injected)
    outcomes: tuple[str, ...] = ()
    looked_at: float = 0.0
    faulty_until: float = 0.0
    past_abort: set[str] = field(default_factory=set)
    """Rollouts whose alarm came when they could no longer be aborted."""
    health_read_at: dict[str, float] = field(default_factory=dict)
    standing: dict[str, Standing] = field(default_factory=dict)
    open_rollouts: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    obeyed: Counter[str] = field(default_factory=Counter)
    audited: Counter[str] = field(default_factory=Counter)
    started: Counter[str] = field(default_factory=Counter)
    _meddled_at: float = 0.0
    _described_at: dict[str, float] = field(default_factory=dict)
    _busy: list[tuple[float, float | None]] = field(default_factory=list)
    """When the endpoint began and ceased to refuse mutations."""

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.clock.now()

    @property
    def state(self) -> State | None:
        """What is durable."""
        return self.store.durable(self.name)

    @property
    def is_busy(self) -> bool:
        """Whether the endpoint refuses mutations."""
        return bool(self._busy) and self._busy[-1][1] is None

    def busy_seconds_since(self, since: float) -> float:
        """Return for how many of the seconds since then the endpoint refused mutations."""
        return sum(max((end or self.now) - max(begin, since), 0.0) for begin, end in self._busy)

    def endpoint_changed(self) -> None:
        """Note the endpoint's status and weights."""
        endpoint = self.cloud.endpoint
        busy = endpoint is None or endpoint.status != IN_SERVICE
        was_busy = self.is_busy
        if busy and not was_busy:
            self._busy.append((self.now, None))
        if was_busy and not busy:
            self._busy[-1] = (self._busy[-1][0], self.now)
        self.standing = {} if endpoint is None else {slot: self._standing(slot) for slot in endpoint.hosted()}

    def _standing(self, slot: str) -> Standing:
        served = self.cloud.served(slot)
        weight = NO_WEIGHT if served is None or served.weight != served.desired_weight else served.weight
        before = self.standing.get(slot)
        return before if before is not None and before.weight == weight else Standing(weight, self.now)

    def go_wrong(self, until: float) -> None:
        """Note a fault that has effects until then."""
        self.faulty_until = max(self.faulty_until, until)
        self.injected = replace(self.injected, faults=self.injected.faults + 1)

    def meddled(self) -> None:
        """Note that people have changed the endpoint behind the engine's back."""
        self.faulty_until = max(self.faulty_until, self.now)
        self._meddled_at = self.now

    def has_not_seen(self, worker: Worker) -> bool:
        """Return whether the endpoint has been changed behind a worker's back since it looked."""
        return self._meddled_at > self._described_at.get(worker.name, 0.0)

    def went_off(self, slot: str) -> None:
        """Note what an alarm has found."""
        state = self.state
        if state is None:
            return
        live = described(state.live.version, state.live.fleet)
        if state.rollout is None:
            self.injected = replace(self.injected, struck=Struck("", "", live, must_go_back=False))
            return
        rollout = state.rollout
        goes_back = rollout.phase in FORWARD and self.cloud.share(slot) > 0
        coming = described(rollout.version, rollout.fleet)
        self.injected = replace(self.injected, struck=Struck(rollout.id, coming, live, goes_back))

    def answered(self, worker: Worker, name: str) -> None:
        """Note what a worker has seen."""
        if name == "endpoints.describe" and self.state is not None and self.state.lease_owner == worker.name:
            self.looked_at = self.now
        if name == "endpoints.describe":
            self._described_at[worker.name] = self.now
        if name == READ_ALARMS:
            self.health_read_at[worker.name] = self.now

    def written(self, worker: Worker, write: Write) -> None:
        """Note what has become durable."""
        before, after = write.before, write.after
        if write.rollout is not None:
            self._summarised(write.rollout)
        if before is None:
            self.looked_at = self.now
            return
        self.taken.update(command.id for command in after.commands)
        if after.seen is not before.seen:
            self.obeyed.update(set(after.seen) - set(before.seen))
        self.audited.update(str(entry.numbers["command"]) for entry in write.entries if entry.kind == "command")
        if after.rollout is not None and (before.rollout is None or before.rollout.id != after.rollout.id):
            self._started(before, after.rollout)
        self._note_past_abort(worker, before, after)

    def _summarised(self, rollout: Rollout) -> None:
        if rollout.phase in TERMINAL:
            self.outcomes += (str(rollout.phase),)
            self.open_rollouts.discard(rollout.id)
        else:
            self.open_rollouts.add(rollout.id)

    def _started(self, before: State, rollout: Rollout) -> None:
        queued = before.queued
        # What is rolled out again because somebody asks for it has no approval of its own.
        if rollout.container is not None and queued is not None and queued.approved_at:
            self.started[f"{queued.package_arn} approved at {queued.approved_at}"] += 1

    def _note_past_abort(self, worker: Worker, before: State, after: State) -> None:
        # What a worker decided on alarms that it had read before they went off, it decided rightly.
        old = before.rollout
        if old is None or old.abort_reason:
            return
        if after.rollout is not None and after.rollout.phase in FORWARD:
            self.past_abort.discard(old.id)
            return
        alarmed = self.alarms.since.get(old.slot)
        if alarmed is not None and self.health_read_at.get(worker.name, 0.0) < alarmed:
            self.past_abort.add(old.id)
