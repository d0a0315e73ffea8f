"""Hand-written stand-ins for AWS in virtual time, as far as the engine can see it."""

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas import contract
from lambdas.rollout import items
from lambdas.rollout.actions import CreateFinalConfig, CreateMixedConfig, CreateModel, CreateShadowConfig
from lambdas.rollout.comparison import Totals
from lambdas.rollout.decision import Entry
from lambdas.rollout.episode import Episode
from lambdas.rollout.errors import ConflictError, EndpointBusyError, MissingError, TidegateError
from lambdas.rollout.evidence import Answered, Evidence, Period
from lambdas.rollout.fleet import Capture, Fleet, Scaling
from lambdas.rollout.judge import Paired, Series, Stratum, Tally
from lambdas.rollout.observation import Alarm, EndpointView, Health, Variant
from lambdas.rollout.policy import Hook, Policy, SmokeTest, Step
from lambdas.rollout.ports import Answer, Due, Package
from lambdas.rollout.settings import Settings
from lambdas.rollout.state import Rollout, State

NAME = "rain-local"
REPOSITORY = "111122223333.dkr.ecr.us-east-1.amazonaws.com/serving"
BUCKET = "artefacts"
POLICY = Policy(
    steps=(Step(10, 20), Step(50, 20), Step(100)),
    soak_seconds=20,
    progress_deadline_seconds=1800,
    peak_instances=1,
    smoke_test=SmokeTest("text/csv", "1,2", 3),
)
EVIDENCE = Evidence(periods=2, period_seconds=10, min_requests=10, error_rate_percent=5.0)
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


class FakeClock:
    """Time that passes only when told, and a little with every call."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    def elapsed(self) -> float:
        return self.time


class FakeStore:
    """The table in memory: items go through their written form, so that nothing survives by being the same object."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        self._read: dict[str, State] = {}
        self.audit: list[dict[str, Any]] = []
        self.summaries: dict[str, dict[str, Any]] = {}
        self.approvals: dict[str, Episode] = {}
        self.paired: list[Paired] = []
        self.on_save: Callable[[State | None, State], None] = lambda before, after: None
        self.conflicts = 0

    def load(self, name: str) -> State | None:
        text = self.written.get(name)
        if text is not None and text not in self._read:
            self._read = {text: items.read_state(json.loads(text))}
        return self._read[text] if text is not None else None

    def save(
        self,
        state: State,
        entries: Sequence[Entry] = (),
        *,
        now: float,
        rollout: Rollout | None = None,
        episode: Episode | None = None,
    ) -> State:
        before = self.load(state.name)
        if self.conflicts:
            self.conflicts -= 1
            raise ConflictError("as the test wants it")
        if (before.version if before else 0) != state.version:
            raise ConflictError(f"version {state.version} is not {before and before.version}")
        saved = replace(state, version=state.version + 1, audit_count=state.audit_count + len(entries))
        self.on_save(before, saved)
        self.written[state.name] = json.dumps(items.state_item(saved))
        self.audit += [items.audit_item(state.name, entry, 0, now) for entry in entries]
        if rollout is not None:
            self.summaries[rollout.id] = items.summary_item(state.name, rollout)
        if episode is not None:
            self.approvals[episode.package_arn] = episode
        return saved

    def episodes(self, name: str) -> dict[str, Episode]:
        return dict(self.approvals)

    def pairs(self, name: str, rollout: str) -> tuple[Paired, ...]:
        return tuple(self.paired)

    def active(self) -> list[Due]:
        return self._lane(items.ACTIVE_LANE)

    def idle(self) -> list[Due]:
        return self._lane(items.IDLE_LANE)

    def _lane(self, lane: str) -> list[Due]:
        found = [json.loads(text) for text in self.written.values()]
        return [Due(item["name"], item["wake"]) for item in found if item.get("lane") == lane]

    @property
    def state(self) -> State:
        state = self.load(NAME)
        assert state is not None
        return state

    def texts(self, kind: str | None = None) -> list[str]:
        return [entry["text"] for entry in self.audit if kind in (None, entry["kind"])]


@dataclass
class FakeEndpoint:
    """An endpoint with SageMaker's manners: busy while it changes, and back by itself after a failed update."""

    clock: FakeClock
    config: str = "rain-local-bootstrap-1"
    variants: dict[str, Variant] = field(default_factory=lambda: {"blue": Variant(100.0, 100.0, 1, 1)})
    shadows: dict[str, Variant] = field(default_factory=dict)
    busy_until: float = 0.0
    busy_status: str = "Updating"
    failure_reason: str = ""
    modified_at: float = 0.0
    failures: list[str] = field(default_factory=list)
    update_seconds: float = 40.0
    weights_seconds: float = 3.0
    lost: str = ""
    _then: Callable[[], None] | None = None

    def settle(self) -> None:
        if self._then is not None and self.clock.now() >= self.busy_until:
            then, self._then = self._then, None
            then()
            self.modified_at = self.busy_until

    def begin(self, duration: float, then: Callable[[], None], status: str = "Updating") -> None:
        self.settle()
        if self._then is not None:
            raise EndpointBusyError(f"Cannot update in-progress endpoint {NAME}")
        self.busy_status, self.busy_until, self._then = status, self.clock.now() + duration, then
        self.modified_at = self.clock.now()

    @property
    def status(self) -> str:
        self.settle()
        return self.lost or (self.busy_status if self._then else "InService")


@dataclass
class FakeSageMaker:
    """Endpoints, configs, models and the registry of one endpoint."""

    clock: FakeClock
    endpoint: FakeEndpoint
    configs: dict[str, dict[str, int]] = field(default_factory=lambda: {"rain-local-bootstrap-1": {"blue": 1}})
    shadowing: dict[str, CreateShadowConfig] = field(default_factory=dict)
    models: dict[str, CreateModel] = field(default_factory=dict)
    containers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    mixed: dict[str, CreateMixedConfig] = field(default_factory=dict)
    final: dict[str, CreateFinalConfig] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    on_mutation: Callable[[str, Any], None] = lambda kind, argument: None
    refusals: dict[str, list[TidegateError]] = field(default_factory=dict)
    changed: Callable[[float], None] = lambda at: None
    scaled: set[str] = field(default_factory=set)
    stale_looks: int = 0
    _shown: EndpointView | None = None

    def describe(self, name: str) -> EndpointView:
        """Describe the endpoint; the first look after each update may still show what was before it."""
        fresh = self._fresh()
        if self.stale_looks and self._shown and self._shown.status == "InService" and fresh.status == "Updating":
            stale, self._shown = self._shown, fresh
            return stale
        self._shown = fresh
        return fresh

    def _fresh(self) -> EndpointView:
        status = self.endpoint.status
        if self.endpoint.lost == "Missing":
            return EndpointView("Missing")
        end = self.endpoint
        return EndpointView(
            status, end.config, dict(end.variants), end.failure_reason, end.modified_at, dict(end.shadows)
        )

    def _mutate(self, kind: str, argument: Any) -> None:
        if self.refusals.get(kind):
            raise self.refusals[kind].pop(0)
        self.calls.append((kind, argument))
        self.on_mutation(kind, argument)

    def create_model(self, action: CreateModel) -> None:
        self._mutate("create_model", action.name)
        self.models[action.name] = action
        self.containers[action.name] = self._container(action)

    def container_of(self, action: CreateModel) -> Mapping[str, Any]:
        assert action.container is None, "what is known is not looked up"
        return self._container(action)

    def _container(self, action: CreateModel) -> Mapping[str, Any]:
        if action.container is not None:
            return action.container
        config = self.final.get(action.source_config)
        mixed = self.mixed.get(config.source_config if config else action.source_config)
        bootstrap = {"Image": f"{REPOSITORY}:0", "ModelDataUrl": "s3://assets/bootstrap.tar.gz"}
        return bootstrap if mixed is None else self.containers[mixed.model]

    def create_mixed_config(self, action: CreateMixedConfig) -> None:
        self._mutate("create_config", action.name)
        assert action.model in self.models
        self.mixed[action.name] = action
        self.configs[action.name] = {**self.configs[action.source_config], action.slot: action.count}

    def create_shadow_config(self, action: CreateShadowConfig) -> None:
        self._mutate("create_config", action.name)
        assert action.model in self.models
        self.shadowing[action.name] = action
        self.configs[action.name] = dict(self.configs[action.source_config])

    def create_final_config(self, action: CreateFinalConfig) -> None:
        self._mutate("create_config", action.name)
        self.final[action.name] = action
        self.configs[action.name] = {action.slot: self.configs[action.source_config][action.slot]}

    def update(self, name: str, config: str) -> None:
        if config not in self.configs:
            raise MissingError(f"Could not find endpoint configuration {config}")
        gone = set(self.endpoint.variants) - set(self.configs[config])
        assert not gone & self.scaled, "a variant under autoscaling cannot be removed"
        self.endpoint.settle()
        self._mutate("update", config)
        failure = self.endpoint.failures.pop(0) if self.endpoint.failures else ""
        self.endpoint.begin(self.endpoint.update_seconds, lambda: self._updated(config, failure))
        self.changed(self.endpoint.busy_until)

    def _updated(self, config: str, failure: str) -> None:
        end = self.endpoint
        end.failure_reason = failure
        if failure:
            return
        fresh = {
            slot: Variant(w, w, count, count)
            for slot, count in self.configs[config].items()
            for w in [100.0 if len(self.configs[config]) == 1 else 0.0]
        }
        end.config = config
        shadow = self.shadowing.get(config)
        share = float(shadow.traffic_percent) if shadow else 0.0
        end.shadows = {shadow.slot: Variant(share, share, shadow.count, shadow.count)} if shadow else {}
        end.variants = {slot: end.variants.get(slot, variant) for slot, variant in fresh.items()}

    def set_weights(self, name: str, weights: Mapping[str, float]) -> None:
        end = self.endpoint
        assert set(weights) <= set(end.variants)
        self._mutate("set_weights", dict(weights))
        wanted = {slot: replace(end.variants[slot], desired_weight=w) for slot, w in weights.items()}
        done = {slot: replace(variant, weight=variant.desired_weight) for slot, variant in wanted.items()}
        end.begin(end.weights_seconds, lambda: end.variants.update(done))
        end.variants.update(wanted)
        self.changed(end.busy_until)

    def set_capacity(self, name: str, slot: str, count: int) -> None:
        assert slot not in self.scaled
        self._mutate("set_capacity", (slot, count))
        failure = self.endpoint.failures.pop(0) if self.endpoint.failures else ""
        done = replace(self.endpoint.variants[slot], count=count, desired_count=count)
        self.endpoint.begin(5.0, lambda: self._resized(slot, done, failure))

    def _resized(self, slot: str, done: Variant, failure: str) -> None:
        self.endpoint.failure_reason = failure
        if not failure:
            self.endpoint.variants[slot] = done

    def delete(self, kind: str, name: str) -> None:
        self._mutate(f"delete_{kind}", name)
        (self.configs if kind == "config" else self.models).pop(name, None)

    def keep(self, name: str, slot: str, scaling: Scaling) -> None:
        self._mutate("keep_scaling", (slot, scaling))
        assert slot in self.endpoint.variants
        self.scaled.add(slot)

    def release(self, name: str, slot: str) -> None:
        self._mutate("release_scaling", slot)
        self.scaled.discard(slot)

    def named(self, kind: str) -> list[Any]:
        return [argument for found, argument in self.calls if found == kind]


@dataclass
class FakeRegistry:
    """The model registry: its events are the test's to send."""

    sagemaker: FakeSageMaker

    def describe(self, arn: str) -> Package | None:
        return self.sagemaker.packages.get(arn)

    def approved(self, group: str) -> list[str]:
        return [arn for arn, package in reversed(self.sagemaker.packages.items()) if package.approval == "Approved"]


@dataclass
class FakeAlarms:
    """Alarms that are OK while their slot has traffic, unless the test says otherwise."""

    sagemaker: FakeSageMaker
    bad: dict[str, str] = field(default_factory=dict)
    error: TidegateError | None = None
    missing: bool = False

    expected: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)

    def expect(self, names: Sequence[str]) -> None:
        self.expected += names

    def hear(self, alarm: str, reason: str) -> None:
        self.heard.append(alarm)

    def failing(self) -> frozenset[str]:
        return frozenset({NAME} if "ALARM" in self.bad.values() else ())

    def health(self, name: str, slot: str) -> Health:
        if self.error:
            raise self.error
        end = self.sagemaker.endpoint
        variant = end.variants.get(slot) or end.shadows.get(slot)
        quiet = variant is None or variant.weight == 0
        wanted = self.bad.get(slot, "INSUFFICIENT_DATA" if quiet else "OK")
        state = {"NO_LATENCY": "OK", "PART_ONLY": "ALARM"}.get(wanted, wanted)
        reason = "Threshold Crossed: 21.0 > 5.0"
        return Health(
            Alarm(
                contract.unhealthy_alarm(name, slot),
                "MISSING" if self.missing else "ALARM" if wanted == "ALARM" else "OK",
            ),
            Alarm(contract.error_rate_alarm(name, slot), state, reason),
            Alarm(contract.latency_alarm(name, slot), "OK" if wanted == "OK" else "INSUFFICIENT_DATA"),
        )


@dataclass
class FakeMetrics:
    """Counts of a steady stream of requests, of which a slot gets its weight's share."""

    sagemaker: FakeSageMaker
    per_second: float = 40.0
    failing: float | dict[str, float] = 0.0
    every: int = 1
    p99_ms: float = 20.0
    latency_ms: dict[str, float] = field(default_factory=dict)
    looks: list[float] = field(default_factory=list)
    baseline_ms: float | None = 20.0
    slow: dict[str, float] = field(default_factory=lambda: dict.fromkeys(contract.SLOTS, 0.01))
    unreadable: TidegateError | None = None
    _served: dict[float, dict[str, float]] = field(default_factory=dict)
    """What the slots' shares of the traffic were when a period was first looked at."""

    def baseline_p99(self, name: str, slot: str, now: float) -> float | None:
        if self.unreadable:
            raise self.unreadable
        return self.baseline_ms

    def series(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, threshold_ms: float | None
    ) -> Series:
        if self.unreadable:
            raise self.unreadable
        start, end = asked.span(since, now)
        times = [start + n * asked.period_seconds for n in range(int((end - start) / asked.period_seconds))]
        pair = (slot, contract.other_slot(slot))

        def strata(bad: Mapping[str, float]) -> tuple[Stratum, ...]:
            return tuple(Stratum(at, *(self._tally(each, at, bad.get(each, 0.0)) for each in pair)) for at in times)

        failing = self.failing if isinstance(self.failing, dict) else dict.fromkeys(contract.SLOTS, self.failing)
        latency = () if threshold_ms is None else strata(self.slow)
        return Series(asked.period_seconds, strata(failing), latency, threshold_ms)

    def _tally(self, slot: str, at: float, bad: float) -> Tally:
        now = {name: variant.weight / 100 for name, variant in self.sagemaker.endpoint.variants.items()}
        requests = int(self.per_second * self._served.setdefault(at, now).get(slot, 0.0) * 10)
        return Tally(int(requests * bad), requests)

    def totals(self, name: str, asked: Evidence, since: float, now: float) -> dict[str, Totals]:
        found = {slot: self.answered(name, slot, asked, since, now) for slot in contract.SLOTS}
        return {
            slot: Totals(each.requests, each.errors, each.requests * self.latency_ms.get(slot, 10.0))
            for slot, each in found.items()
        }

    def answered(
        self, name: str, slot: str, asked: Evidence, since: float, now: float, *, p99: bool = False
    ) -> Answered:
        self.looks.append(since)
        start, end = asked.span(since, now)
        endpoint = self.sagemaker.endpoint
        variant = endpoint.variants.get(slot) or endpoint.shadows.get(slot)
        share = variant.weight / 100 if variant else 0.0
        requests = int(self.per_second * share * asked.period_seconds)
        failing = self.failing.get(slot, 0.0) if isinstance(self.failing, dict) else self.failing
        errors = int(requests * failing)
        count = int((end - start) / asked.period_seconds)
        slowest = self.p99_ms if p99 else None
        return Answered(tuple(Period(start + n * self.every * 10, requests, errors, slowest) for n in range(count)))


@dataclass
class FakeInvoker:
    """A model that answers, or does not."""

    errors: list[TidegateError] = field(default_factory=list)
    invoked: list[str] = field(default_factory=list)

    def invoke(self, name: str, slot: str, test: SmokeTest) -> None:
        self.invoked.append(slot)
        if self.errors:
            raise self.errors.pop(0)


@dataclass
class FakeHooks:
    """Hooks that say what the test wants, in turn; the last answer stands."""

    answers: list[Answer | TidegateError] = field(default_factory=lambda: [Answer("go")])
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def ask(self, hook: Hook, question: Mapping[str, Any]) -> Answer:
        self.asked.append(question)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, TidegateError):
            raise answer
        return answer


@dataclass
class FakeSettings:
    """An endpoint's parameter."""

    policy: Policy = POLICY
    fleet: Fleet = FLEET
    signing_key: str | None = None
    signatures: str = "checked"

    def load(self, name: str) -> Settings:
        return Settings(
            environment="local",
            endpoint=name,
            execution_role_arn="arn:aws:iam::1:role/run",
            image_repositories=(REPOSITORY, "elsewhere/own"),
            artefact_bucket=BUCKET,
            policy=self.policy,
            evidence=EVIDENCE,
            fleet=self.fleet,
            signing_key=self.signing_key,
            signatures=self.signatures,
        )


@dataclass
class FakeTimers:
    """A queue with delays; `lost` swallows what is sent."""

    send: Callable[[float, dict[str, Any]], None] = lambda delay, body: None
    lost: bool = False

    def wake(self, name: str, delay: float, due: float | None = None) -> None:
        if not self.lost:
            self.send(delay, {"endpoint": name, "due": due})

    def wake_all(self, names: Sequence[str]) -> None:
        for name in names:
            self.wake(name, 0)


@dataclass
class FakeNotifier:
    """Notifications that were sent."""

    subjects: list[str] = field(default_factory=list)
    error: TidegateError | None = None

    def tell(self, subject: str, text: str) -> None:
        if self.error:
            raise self.error
        self.subjects.append(subject)


class FakeLog:
    """Log lines with their fields."""

    def __init__(self) -> None:
        self.fields: dict[str, object] = {}
        self.lines: list[tuple[str, dict[str, object]]] = []

    def bind(self, **fields: object) -> None:
        self.fields |= fields

    def info(self, message: str) -> None:
        self.lines.append((message, dict(self.fields)))

    def warning(self, message: str) -> None:
        self.lines.append((message, dict(self.fields)))

    def exception(self, message: str) -> None:
        self.lines.append((f"{message}\n{traceback.format_exc()}", dict(self.fields)))
