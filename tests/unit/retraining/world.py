"""An endpoint that is retrained, in virtual time: pipelines that take a while, and workers that are killed."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.retraining import items
from lambdas.retraining.controller import Controller
from lambdas.retraining.decision import Entry
from lambdas.retraining.outcome import write_outcome
from lambdas.retraining.ports import Model, Ports, Stored
from lambdas.retraining.said import Conclusion, DataCame, Drifted, Live, Look, Ordered, Said
from lambdas.retraining.settings import Bootstrap, OnDrift, Settings
from lambdas.retraining.state import Champion, Outcome, State, Summary, Window
from lambdas.rollout.errors import (
    ConflictError,
    MissingError,
    PermanentError,
    TidegateError,
    TimedOutError,
    TooLargeError,
)
from tests.unit.killed import CrashError, Mortal, Watched

NAME, BUCKET, PIPELINE = "rain-local", "artefacts", "tidegate-local-rain"
START = 1_800_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
MOST_BYTES = 1024 * 1024
BOOTSTRAP = Champion("1.0.0", None, "config-1", "blue")
SETTINGS = Settings(
    environment="local",
    endpoint=NAME,
    bucket=BUCKET,
    pipeline=PIPELINE,
    on_drift=OnDrift(2, 2, 3),
    schedule_days=None,
    on_new_data=False,
    cooldown_minutes=30,
    monthly_runs=8,
    least_gain_percent=1.0,
    approval="automatic",
    lookback_minutes=60,
    run_limit_minutes=120,
    parameters={"ImageUri": "repository/training:1"},
    bootstrap=Bootstrap("1.0.0"),
)
BETTER = Conclusion(
    Outcome.REGISTERED,
    "it is better",
    "arn:package/2",
    "1.1.0",
    better=True,
    checks_passed=True,
    signature_change=False,
    gain=0.05,
    p_value=0.001,
    numbers={"champion": {"accuracy": 0.8}, "challenger": {"accuracy": 0.85}},
)
SAME = Conclusion(Outcome.KEPT, "its gain is +0.1 % (p = 0.7)", better=False, gain=0.001)
UNFIT = Conclusion(Outcome.REFUSED, "calibration: off by 0.2", better=True, gain=0.05)
SWAPPED = replace(UNFIT, reason="archive_not_evaluated: it was changed meanwhile", checks_passed=True)


class FakeStore:
    """The table in memory; items go through their written form."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        self.audit: list[dict[str, Any]] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.conflicts = 0

    def load(self, name: str) -> State:
        text = self.written.get(name)
        return items.read_state(json.loads(text)) if text else State(name)

    def save(self, state: State, entries: Sequence[Entry] = (), summary: Summary | None = None, *, now: float) -> State:
        if self.conflicts:
            self.conflicts -= 1
            raise ConflictError("as the test wants it")
        if self.load(state.name).version != state.version:
            raise ConflictError("the item has changed")
        saved = replace(state, version=state.version + 1, audit_count=state.audit_count + len(entries))
        self.written[state.name] = json.dumps(items.state_item(saved))
        numbered = enumerate(entries, start=state.audit_count + 1)
        self.audit += [items.audit_item(state.name, entry, number, now) for number, entry in numbered]
        if summary is not None:
            item = items.run_item(state.name, summary)
            self.runs[item["id"]] = json.loads(json.dumps(item))
        return saved

    def texts(self, kind: str | None = None) -> list[str]:
        return [entry["text"] for entry in self.audit if kind in (None, entry["kind"])]


@dataclass
class Execution:
    """An execution of the pipeline: it ends after `seconds`, or when it is stopped."""

    arn: str
    token: str
    parameters: Mapping[str, str]
    began: float
    ends: float
    status: str = "Executing"


@dataclass
class FakePipelines:
    """SageMaker: the same token gives the same execution."""

    world: "World"
    executions: list[Execution] = field(default_factory=list)
    seconds: float = 600.0
    ending: str = "Succeeded"
    concludes: Conclusion | None = BETTER
    refusals: list[TidegateError] = field(default_factory=list)
    steps: str = "the step Prepare is Failed: too_few_rows: 12 labelled rows"
    started: Callable[[Execution], None] = lambda execution: None

    def find(self, pipeline: str, name: str, since: float) -> str | None:
        return next((each.arn for each in self.executions if each.token == name and each.began >= since), None)

    def start(self, pipeline: str, token: str, parameters: Mapping[str, str], description: str) -> str:
        assert pipeline == PIPELINE
        assert 32 <= len(token) <= 36
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None and not isinstance(refusal, TimedOutError):
            raise refusal
        self.settle()
        known = next((each for each in self.executions if each.token == token), None)
        if known is None:
            world = self.world
            running = [each.token for each in self.executions if each.status in ("Executing", "Stopping")]
            world.require(not running, f"{token} began while {running} ran")
            world.require(f"RUN#{token}" in world.intended(), f"{token} began before it was durable")
            arn = f"arn:aws:sagemaker:us-east-1:1:pipeline/{pipeline}/execution/{len(self.executions) + 1}"
            known = Execution(arn, token, dict(parameters), world.time, world.time + self.seconds)
            self.executions.append(known)
        if refusal is not None:
            raise refusal
        return known.arn

    def status(self, execution: str) -> str:
        self.settle()
        return self._of(execution).status

    def failure(self, execution: str) -> str:
        return self.steps

    def stop(self, execution: str, token: str) -> None:
        self.settle()
        assert 32 <= len(token) <= 128
        found = self._of(execution)
        if found.status == "Executing":
            found.status, found.ends = "Stopping", self.world.time + 30

    def settle(self) -> None:
        for each in self.executions:
            if self.world.time < each.ends or each.status not in ("Executing", "Stopping"):
                continue
            each.status = "Stopped" if each.status == "Stopping" else self.ending
            if each.status != "Stopped" and self.concludes is not None:
                key = f"retraining/{NAME}/{each.token}/outcome.json"
                self.world.files.content[key] = write_outcome(each.token, self.concludes)

    def _of(self, arn: str) -> Execution:
        found = next((each for each in self.executions if each.arn == arn), None)
        if found is None:
            raise MissingError(f"{arn} does not exist")
        return found


@dataclass
class FakeFiles:
    """The bucket."""

    content: dict[str, bytes] = field(default_factory=dict)

    def folders(self, bucket: str, prefix: str) -> list[str]:
        below = {key[len(prefix) :].partition("/")[0] for key in self.content if key.startswith(prefix)}
        return [f"{prefix}{each}/" for each in sorted(below)]

    def objects(self, bucket: str, prefix: str) -> Iterator[Stored]:
        return (Stored(key, len(self.content[key])) for key in sorted(self.content) if key.startswith(prefix))

    def read(self, bucket: str, key: str) -> bytes:
        if key not in self.content:
            raise MissingError(key)
        if len(self.content[key]) > MOST_BYTES:
            raise TooLargeError(f"{key} has more than {MOST_BYTES:,} bytes")
        return self.content[key]

    def write(self, bucket: str, key: str, content: bytes, content_type: str) -> None:
        self.content[key] = content


@dataclass
class FakeModels:
    """The registry, as far as it is asked."""

    status: dict[str, str] = field(default_factory=dict)
    approvals: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    error: TidegateError | None = None

    def of(self, champion: Champion, settings: Settings) -> Model:
        return Model(f"s3://{BUCKET}/{champion.version}/model.tar.gz", f"s3://{BUCKET}/{champion.version}/b.json", {})

    def approve(self, arn: str, run: str, reason: str) -> str:
        self.asked.append(run)
        if self.error:
            raise self.error
        status = self.status.get(arn, "PendingManualApproval")
        if (arn, reason) in self.approvals:
            return ""
        if status != "PendingManualApproval":
            return status
        self.approvals.append((arn, reason))
        self.status[arn] = "Approved"
        return ""


class FakeLog:
    """Log lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def bind(self, **fields: object) -> None:
        pass

    def info(self, message: str) -> None:
        self.lines.append(message)

    warning = exception = info


class World(Mortal):
    """An endpoint that is retrained."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.time = START
        self.settings = settings
        self.champion, self.rolling_out = BOOTSTRAP, ""
        self.store, self.files, self.models = FakeStore(), FakeFiles(), FakeModels()
        self.pipelines = FakePipelines(self)
        self.notices: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.log = FakeLog()
        self.broken: list[str] = []
        self.points: list[int] = []
        self._ids = itertools.count(1)
        for hours in range(3):
            moment = f"2027/01/15/{hours + 6:02d}"
            self.files.content[f"capture/{NAME}/blue/{moment}/a.jsonl"] = b"captured"
            self.files.content[f"labels/{NAME}/{moment}/b.jsonl"] = b"labelled"
        watched: Any = lambda target: Watched(self, target)  # noqa: E731 - shorter
        self.ports = Ports(
            store=watched(self.store),
            rollouts=watched(self),
            models=watched(self.models),
            files=watched(self.files),
            pipelines=watched(self.pipelines),
            announcer=watched(_Announcer(self.events)),
            faults=watched(_Faults(self.faults)),
            notifier=watched(_Notifier(self.notices)),
            settings=watched(_Settings(self)),
            clock=self,  # type: ignore[arg-type]
            log=self.log,
        )

    # Ports that are the world itself.

    def live(self, name: str, settings: Settings) -> Live:
        return Live(self.champion, self.rolling_out)

    def now(self) -> float:
        return self.time

    # What happens.

    def tell(self, said: Said) -> bool:
        """Deliver something; return whether the worker lived to the end."""
        return self._guarded(lambda: Controller(self.ports).tell(NAME, said))

    def sweep(self) -> bool:
        """Let the sweep run."""
        return self._guarded(lambda: self.faults.extend(why for _, why in Controller(self.ports).sweep()))

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with its sweeps."""
        end = self.time + seconds
        while self.time + MINUTE <= end:
            self.time += MINUTE
            self.sweep()
        self.time = max(self.time, end)

    def until_over(self, limit: float = 6 * HOUR) -> None:
        """Let time pass until nothing is under way or left to tell."""
        end = self.time + limit
        while (state := self.state).run or state.approval or state.outbox:
            assert self.time < end, f"after {limit:.0f} s: {state}\n" + "\n".join(self.store.texts()[-9:])
            self.pass_time(MINUTE)

    def window(self, number: int, severe: int = 3, severity: str = "severe", **changes: Any) -> Drifted:
        """Return the monitor's word on the window that began `number` minutes after the start."""
        start = START + number * MINUTE
        names = tuple(f"feature {n}" for n in range(severe))
        fields = {"severity": severity, "severe": severe, "features": names, "version": self.champion.version}
        return Drifted(Window(**{"id": f"w{number:04d}", "start": start, "end": start + MINUTE, **fields, **changes}))

    def drift(self, first: int | None = None) -> None:
        """Let two windows drift severely, so that a run is started."""
        first = int((self.time - START) // MINUTE) + 1 if first is None else first
        self.time = max(self.time, START + (first + 2) * MINUTE)
        for number in (first, first + 1):
            self.tell(self.window(number))

    def order(self, command: str = "start", **fields: Any) -> Ordered:
        """Return an operator's command."""
        return Ordered(f"c{next(self._ids)}", command, "anna", self.time, **fields)

    def data(self, at: float | None = None) -> DataCame:
        """Return news of data."""
        return DataCame(f"d{next(self._ids)}", self.time if at is None else at)

    look = staticmethod(Look)

    def _guarded(self, work: Callable[[], object]) -> bool:
        first, before = self.calls + 1, self.store.written.get(NAME)
        try:
            work()
            # Of sweeps that find nothing new, one is like another: it is enough to be killed in the first.
            if before != self.store.written.get(NAME) or not self.points:
                self.points += range(first, self.calls + 1)
        except CrashError:
            self.crash_at = None
            return False
        except TidegateError:
            return False
        return True

    # What was seen.

    @property
    def state(self) -> State:
        return self.store.load(NAME)

    def intended(self) -> set[str]:
        return {f"RUN#{identity}" for identity in self.store.runs}

    @property
    def outcomes(self) -> list[str | None]:
        return [self.store.runs[each]["outcome"] for each in sorted(self.store.runs)]

    def require(self, holds: object, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def check(self) -> None:
        """Fail when something that must always hold does not."""
        tokens = [each.token for each in self.pipelines.executions]
        self.require(len(tokens) == len(set(tokens)), f"started twice: {tokens}")
        ended = [entry["run"] for entry in self.store.audit if entry["kind"] == "outcome"]
        self.require(len(ended) == len(set(ended)), f"two outcomes: {ended}")
        self.require(set(tokens) <= set(self.store.runs), "an execution of no run")
        numbers = [entry["sk"] for entry in self.store.audit]
        self.require(len(numbers) == len(set(numbers)), "an audit entry was overwritten")
        assert self.broken == []

    def check_over(self) -> None:
        """Fail when something that was begun has no end."""
        self.check()
        ended = [entry["run"] for entry in self.store.audit if entry["kind"] == "outcome"]
        assert sorted(ended) == sorted(self.store.runs)
        assert all(self.outcomes)
        assert {each["happened"] for each in self.events} <= {"started", "ended"}
        for identity in self.store.runs:
            happened = {each["happened"] for each in self.events if each["run"] == identity}
            assert happened == {"started", "ended"}


@dataclass
class _Announcer:
    events: list[dict[str, Any]]

    def put(self, detail: str) -> None:
        self.events.append(json.loads(detail))


@dataclass
class _Faults:
    faults: list[str]

    def report(self, endpoint: str, reason: str) -> None:
        self.faults.append(reason)


@dataclass
class _Notifier:
    notices: list[tuple[str, str]]

    def tell(self, subject: str, text: str) -> None:
        self.notices.append((subject, text))


@dataclass
class _Settings:
    world: World

    def load(self, name: str) -> Settings | None:
        return self.world.settings if name == NAME else None

    def all(self) -> list[Settings]:
        return [self.world.settings]


REFUSED_FOR_GOOD = PermanentError("ValidationException: ImageUri")
