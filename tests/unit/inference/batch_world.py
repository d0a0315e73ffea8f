"""An endpoint whose batches run in virtual time: jobs that answer an object a minute, and workers that are killed."""

import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from lambdas.inference.batch import items
from lambdas.inference.batch.controller import Controller
from lambdas.inference.batch.loading import Task
from lambdas.inference.batch.objects import Stored
from lambdas.inference.batch.ports import Ports
from lambdas.inference.batch.said import JobSeen, Look, Said, StopWanted, Wanted
from lambdas.inference.batch.settings import Batch, Plan
from lambdas.inference.batch.state import OPERATOR, SCHEDULE, Model, Run, Stage, State, Summary, Wish
from lambdas.rollout.errors import ConflictError, MissingError, PermanentError, TidegateError, TimedOutError
from tests.unit.killed import CrashError, Mortal, Watched
from tests.unit.trust import FakeTrust, signed

NAME, BUCKET, INPUT = "rain-local", "artefacts", "s3://artefacts/rows/"
START, MINUTE, HOUR = 1_800_000_000.0, 60.0, 3600.0
PLAN = Plan(NAME, BUCKET, Batch(input="rows/", attempts=4, limit_hours=6))
SERVED = replace(PLAN, batch=replace(PLAN.batch, serve_days=30))
FIRST, SECOND = (
    Model(
        f"model-{number}",
        version,
        f"arn:package/{number}",
        {"PrimaryContainer": {"ModelDataUrl": f"s3://{version}"}},
        sha256=signed(f"s3://{version}"),
    )
    for number, version in ((1, "1.0.0"), (2, "1.1.0"))
)


class FakeStore:
    """The table in memory; items go through their written form."""

    def __init__(self) -> None:
        self.written: dict[str, str] = {}
        self.runs: dict[str, dict[str, Any]] = {}

    def load(self, name: str) -> State:
        text = self.written.get(name)
        return items.read_state(json.loads(text)) if text else State(name)

    def save(self, state: State, summaries: Sequence[Summary], plan: Plan) -> State:
        if self.load(state.name).version != state.version:
            raise ConflictError("the item has changed")
        saved = replace(state, version=state.version + 1)
        self.written[state.name] = json.dumps(items.state_item(saved))
        for summary in summaries:
            item = items.run_item(state.name, summary, plan)
            assert not (self.runs.get(item["id"]) or {}).get("outcome"), "a run that has ended was changed"
            self.runs[item["id"]] = json.loads(json.dumps(item))
        return saved


@dataclass
class FakeObjects:
    """S3, of one bucket."""

    content: dict[str, bytes] = field(default_factory=dict)

    def listed(self, bucket: str, prefix: str) -> Iterator[Stored]:
        found = [(key, body) for key, body in sorted(self.content.items()) if key.startswith(prefix)]
        return (Stored(key, len(body), sha256(body).hexdigest()) for key, body in found)

    def read(self, bucket: str, key: str) -> bytes:
        if key not in self.content:
            raise MissingError(key)
        return self.content[key]

    def write(self, bucket: str, key: str, content: bytes) -> None:
        self.content[key] = content

    def write_once(self, bucket: str, key: str, content: bytes) -> bytes:
        return self.content.setdefault(key, content)


@dataclass
class FakeModels:
    """SageMaker's models: the live version's, and those that runs have made, by what they are made of."""

    world: "World"
    live_now: Model
    made: dict[str, str] = field(default_factory=dict)

    def live(self, endpoint: str) -> Model:
        keyed = self.world.plan.batch.serve_days > 0
        return replace(self.live_now, width=8, outputs=("rain",)) if keyed else self.live_now

    def make(self, model: Model) -> None:
        self.made.setdefault(model.name, model.description["PrimaryContainer"]["ModelDataUrl"])

    def remove(self, name: str) -> None:
        self.made.pop(name, None)


@dataclass
class Job:
    """A job: it answers one object of its manifest a minute, and none that fails."""

    name: str
    model: str
    paths: list[str]
    began: float
    folder: str
    status: str = "InProgress"
    reason: str = ""
    done: int = 0
    stops_at: float | None = None


@dataclass
class FakeExecutions:
    """Step Functions: loads the answer files of its list one a minute, and what is said of each is put down."""

    world: "World"
    begun: dict[str, tuple[float, list[Any]]] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    loses: list[int] = field(default_factory=list)
    """How many files each execution does not load; those that are not listed load all."""

    def see(self, name: str) -> JobSeen | None:
        self.settle()
        return JobSeen(self.ended.get(name, "RUNNING")) if name in self.begun else None

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        self.settle()
        if name in self.begun:
            return
        world = self.world
        world.require(not [each for each in self.begun if each not in self.ended], f"{name} began beside another")
        self.begun[name] = world.time, json.loads(world.objects.content[given["key"]])

    def stop(self, name: str, why: str) -> None:
        self.settle()
        self.ended.setdefault(name, "ABORTED")

    def settle(self) -> None:
        for number, (name, (began, tasks)) in enumerate(self.begun.items()):
            lost = self.loses[number] if number < len(self.loses) else 0
            if name not in self.ended and self.world.time >= began + MINUTE * len(tasks):
                for task in tasks[lost:]:
                    self._load(Task(**task))
                self.ended[name] = "SUCCEEDED"

    def _load(self, task: Task) -> None:
        world = self.world
        world.require(task.key in world.objects.content, f"{task.key} is loaded and is not there")
        world.loaded.append((task.run, task.key))
        said = {"file": task.file, "from": 0, "to": 9, "lines": 3, "done": True, "rows": 3, "loaded": 2, "bad": 1}
        more = {
            "repeated": 0,
            "superseded": 0,
            "findings": [{"line": 2, "key": "", "why": "bad"}],
            "all_findings": None,
        }
        world.objects.content[f"{task.place}.json"] = json.dumps(said | more).encode()


@dataclass
class FakeTransforms:
    """SageMaker: one job of each name."""

    world: "World"
    jobs: dict[str, Job] = field(default_factory=dict)
    refusals: list[TidegateError] = field(default_factory=list)
    dies_after: list[int] = field(default_factory=list)
    """How many objects each job answers before it is killed; those that are not listed live."""
    bad: set[str] = field(default_factory=set)
    answered: list[str] = field(default_factory=list)
    by_run: list[tuple[str, str]] = field(default_factory=list)

    def see(self, name: str) -> JobSeen | None:
        self.settle()
        job = self.jobs.get(name)
        return job and JobSeen(job.status, job.reason)

    def create(self, name: str, run: Run, manifest: str, plan: Plan) -> None:
        refusal = self.refusals.pop(0) if self.refusals else None
        if refusal is not None and not isinstance(refusal, TimedOutError):
            raise refusal
        self.settle()
        if name not in self.jobs:
            world = self.world
            running = [each.name for each in self.jobs.values() if each.status in ("InProgress", "Stopping")]
            world.require(not running, f"{name} began while {running} ran")
            assert run.model is not None
            if run.model.name not in world.models.made:
                raise PermanentError(f"ValidationException: Could not find model {run.model.name}")
            _, *paths = json.loads(world.objects.content[manifest.removeprefix(f"s3://{BUCKET}/")])
            self.jobs[name] = Job(
                name, world.models.made[run.model.name], paths, world.time, plan.output_folder(run.id)
            )
        if refusal is not None:
            raise refusal

    def stop(self, name: str) -> None:
        self.settle()
        job = self.jobs[name]
        if job.status == "InProgress":
            job.status, job.stops_at = "Stopping", self.world.time + 30

    def settle(self) -> None:
        for number, job in enumerate(self.jobs.values()):
            if job.status in ("InProgress", "Stopping"):
                self._advance(job, self.dies_after[number] if number < len(self.dies_after) else 1000)

    def _advance(self, job: Job, life: int) -> None:
        until = self.world.time if job.stops_at is None else min(self.world.time, job.stops_at)
        while job.done < len(job.paths) and job.began + (job.done + 1) * MINUTE <= until:
            if job.done >= life:
                job.status, job.reason = "Failed", "AlgorithmError: killed"
                return
            self._answer(job, job.paths[job.done])
            job.done += 1
        if job.stops_at is not None and self.world.time >= job.stops_at:
            job.status = "Stopped"
        elif job.done == len(job.paths) and job.status == "InProgress":
            bad = [path for path in job.paths if path in self.bad]
            job.status = "Failed" if bad else "Completed"
            job.reason = f"ClientError: {bad[0]}: 400" if bad else ""

    def _answer(self, job: Job, path: str) -> None:
        if path in self.bad:
            return
        key = f"{job.folder}{path}.out"
        self.world.require(key not in self.world.objects.content, f"{path} was answered twice")
        self.world.objects.content[key] = f"{job.model} of {path}".encode()
        self.answered.append(path)
        self.by_run.append((job.folder, path))


class World(Mortal):
    """An endpoint whose batches run."""

    def __init__(self, plan: Plan = PLAN, objects: int = 5) -> None:
        self.time = START
        self.plan, self.models = plan, FakeModels(self, FIRST)
        self.store, self.objects = FakeStore(), FakeObjects()
        self.transforms = FakeTransforms(self)
        self.executions, self.trust = FakeExecutions(self), FakeTrust()
        self.loaded: list[tuple[str, str]] = []
        self.events: list[dict[str, Any]] = []
        self.faults: list[str] = []
        self.broken: list[str] = []
        self.points: list[int] = []
        self.refused_calls: Collection[int] = ()
        self.refused_names: Mapping[str, float] = {}
        """Calls that are refused, by number, and by name until a time."""
        self.refused: list[tuple[Stage | None, str]] = []
        self._ids = itertools.count(1)
        for number in range(objects):
            self.objects.content[f"rows/part-{number}.csv"] = f"row {number}".encode()
        watched: Any = lambda target: Watched(self, target)  # noqa: E731 - shorter
        self.ports = Ports(
            store=watched(self.store),
            models=watched(self.models),
            objects=watched(self.objects),
            transforms=watched(self.transforms),
            executions=watched(self.executions),
            trust=watched(self.trust),
            announcer=watched(_Announcer(self.events)),
            faults=watched(_Faults(self.faults)),
            clock=self,  # type: ignore[arg-type]
            log=_Log(),
        )

    # A port that is the world itself.

    def now(self) -> float:
        return self.time

    def refusal(self, name: str) -> Exception | None:
        if self.calls not in self.refused_calls and self.time >= self.refused_names.get(name, 0.0):
            return None
        run = self.state.run
        self.refused.append((run.stage if run else None, name))
        return PermanentError(f"AccessDenied: {name}")

    # What happens.

    def tell(self, said: Said) -> bool:
        """Deliver something; return whether the worker lived to the end."""
        first, before = self.calls + 1, self.store.written.get(NAME)
        try:
            Controller(self.ports, self.plan).tell(said)
        except CrashError:
            self.crash_at = None
            return False
        except TidegateError:
            return False
        finally:
            self._look_for_orphans()
        # Of looks that find nothing new, one is like another: it is enough to be killed in the first.
        if before != self.store.written.get(NAME) or not self.points:
            self.points += range(first, self.calls + 1)
        return True

    def _look_for_orphans(self) -> None:
        self.transforms.settle()
        self.executions.settle()
        own = self.state.run.id if self.state.run else "no run"
        running = [job.name for job in self.transforms.jobs.values() if job.status in ("InProgress", "Stopping")]
        running += [name for name in self.executions.begun if name not in self.executions.ended]
        self.require(all(own in name for name in running), f"{running} without its run, beside {own}")

    def deliver(self, said: Said) -> None:
        """Deliver something until somebody has lived through it, as a queue does."""
        while not self.tell(said):
            pass

    def pass_time(self, seconds: float) -> None:
        """Let time pass, with its looks."""
        end = self.time + seconds
        while self.time + MINUTE <= end:
            self.time += MINUTE
            self.tell(Look())
        self.time = max(self.time, end)

    def until_over(self, limit: float = 12 * HOUR) -> None:
        """Let time pass until nothing is under way or left to tell."""
        end = self.time + limit
        while (state := self.state).run or state.waiting or state.outbox:
            assert self.time < end, f"after {limit:.0f} s: {state}"
            self.pass_time(MINUTE)

    def start(self, **changes: Any) -> Wanted:
        """Return an operator's wish."""
        wish = Wish(f"c{next(self._ids)}", INPUT, "text/csv", OPERATOR, "anna", self.time)
        return Wanted(replace(wish, **changes))

    def due(self) -> Wanted:
        """Return the schedule's wish."""
        return self.start(trigger=SCHEDULE, by="the schedule")

    def stop(self) -> StopWanted:
        return StopWanted(f"c{next(self._ids)}", "anna")

    # What was seen.

    @property
    def state(self) -> State:
        return self.store.load(NAME)

    @property
    def outcomes(self) -> list[str | None]:
        return [self.store.runs[each]["outcome"] for each in sorted(self.store.runs)]

    def said_of(self, wish: Wanted | StopWanted) -> Any:
        identity = wish.wish.id if isinstance(wish, Wanted) else wish.id
        return next((each for each in self.state.answers if each.id == identity), None)

    def manifest(self, run: str) -> Any:
        return json.loads(self.objects.content[f"{self.plan.run_folder(run)}manifest.json"])

    def require(self, holds: object, what: str) -> None:
        if not holds:
            self.broken.append(what)

    def check_over(self) -> None:
        """Fail when something that must hold does not, or something that was begun has no end."""
        assert self.broken == []
        running = [job.name for job in self.transforms.jobs.values() if job.status in ("InProgress", "Stopping")]
        assert running == [], "a job of no run runs on"
        assert set(self.executions.begun) == set(self.executions.ended), "an execution of no run goes on"
        assert all(self.outcomes), self.store.runs
        assert self.models.made == {}, "a run's own model outlives it"
        for identity, run in self.store.runs.items():
            ended = {each["happened"] for each in self.events if each["run"] == identity} - {"begun", "resumed"}
            assert ended == {run["outcome"]}
            models = {job.model for job in self.transforms.jobs.values() if f"-{identity}-" in job.name}
            assert len(models) <= 1, "one run, one model"
            if run["outcome"] == "done":
                outputs = [each["output"] for each in self.manifest(identity)["objects"] if each["bytes"]]
                assert all(output in self.objects.content for output in outputs)
                if self.plan.batch.serve_days:
                    assert {key for of, key in self.loaded if of == identity} == set(outputs), "not all is loaded"
                    assert self.manifest(identity)["served"]["loaded"] == 2 * len(outputs)


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


class _Log:
    def bind(self, **fields: object) -> None:
        pass

    def info(self, message: str) -> None:
        pass

    warning = exception = info


History = Callable[[World], None]
