"""An endpoint's jobs in virtual time: messages that come twice, workers that are killed, an endpoint that is busy."""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.inference.jobs import items, messages
from lambdas.inference.jobs.accepting import Accepted, Accepting, Request
from lambdas.inference.jobs.job import Job
from lambdas.inference.jobs.ports import Answer
from lambdas.inference.jobs.showing import Showing
from lambdas.inference.jobs.working import Later, Worker
from lambdas.inference.jobs.working import World as WorkerWorld
from lambdas.rollout.errors import ConflictError, MissingError, TidegateError, TooLargeError
from tests.unit.killed import CrashError, Mortal, Watched

NAME, CLIENT = "rain-local", "shop"
START = 1_800_000_000.0
FUNCTION_SECONDS = 60.0
VISIBILITY_SECONDS = 6 * FUNCTION_SECONDS
MOST_RECEIVES = 40
ROWS = [[1.0, 2.0]]


class FakeStore:
    """The table in memory; items go through their written form."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.written: dict[str, str] = {}
        self.ends: list[tuple[str, str, str]] = []

    def load(self, endpoint: str, identity: str) -> Job | None:
        text = self.written.get(identity)
        return items.read(json.loads(text)) if text else None

    def create(self, job: Job, now: float) -> None:
        known = self.load(job.endpoint, job.id)
        if known is not None and known.expires > now:
            raise ConflictError("there is one")
        assert job.input in self._world.files.content, "the rows must be durable before the job is"
        self.written[job.id] = json.dumps(items.item(job))

    def save(self, job: Job) -> Job:
        known = self.load(job.endpoint, job.id)
        if known is None or known.version != job.version:
            raise ConflictError("it has changed")
        saved = replace(job, version=job.version + 1)
        self.written[job.id] = json.dumps(items.item(saved))
        if job.ended and not known.ended:
            self.ends.append((job.id, job.status.value, job.result))
        return saved


@dataclass
class FakeFiles:
    """The bucket."""

    content: dict[str, bytes] = field(default_factory=dict)
    errors: list[Exception] = field(default_factory=list)

    def read(self, key: str, most_bytes: int | None = None) -> bytes:
        if self.errors:
            raise self.errors.pop(0)
        if key not in self.content:
            raise MissingError(key)
        if most_bytes is not None and len(self.content[key]) > most_bytes:
            raise TooLargeError(key)
        return self.content[key]

    def write(self, key: str, content: bytes) -> None:
        self.content[key] = content


@dataclass
class Sent:
    """A message in the queue."""

    body: str
    visible_at: float
    receives: int = 0


@dataclass
class FakeQueue:
    """SQS: a message that is not deleted comes again, and in the end lies among the dead letters."""

    world: "World"
    messages: list[Sent] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)

    def send(self, body: str) -> None:
        if self.errors:
            raise self.errors.pop(0)
        assert messages.read(body).job in self.world.store.written, "the job must be durable before its message is"
        self.messages.append(Sent(body, self.world.time))

    def send_later(self, body: str, seconds: float) -> None:
        assert seconds <= 900, "SQS knows no longer delay"
        self.messages.append(Sent(body, self.world.time + seconds))


@dataclass
class FakeDeadLetters:
    sent: list[tuple[str, str]] = field(default_factory=list)

    def send(self, body: str, reason: str) -> None:
        self.sent.append((body, reason))


@dataclass
class FakeAnnouncer:
    world: "World"
    details: list[Mapping[str, Any]] = field(default_factory=list)

    def announce(self, detail: Mapping[str, Any]) -> None:
        job = self.world.store.load(NAME, detail["id"])
        assert job is not None
        assert job.status.value == detail["status"], "an end is told only when it is durable"
        self.details.append(detail)


@dataclass
class FakeModel:
    """The endpoint; `says` are what it does with the next requests, and then it answers."""

    world: "World"
    says: list[Exception | Answer] = field(default_factory=list)
    always: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def ask(self, job: Job, body: bytes) -> Answer:
        durable = self.world.store.load(NAME, job.id)
        assert durable is not None
        assert durable.attempt == job.attempt, "an attempt must be durable before the model is asked"
        self.asked.append(job.id)
        said = self.says.pop(0) if self.says else self.always
        if isinstance(said, Exception):
            raise said
        rows = json.loads(body)["instances"]
        number = len(self.asked)
        return said or Answer(json.dumps({"predictions": [number for _ in rows]}).encode(), f"1.{number}.0", "blue")


class World(Mortal):
    """An endpoint with jobs."""

    def __init__(self, attempts: int = 3, keep_days: int = 7) -> None:
        self.time, self.keep_days = START, keep_days
        self.killed_at = ""
        self.attempts, self.chance = attempts, 0.5
        self.most_receives = MOST_RECEIVES
        self.store, self.files, self.queue = FakeStore(self), FakeFiles(), FakeQueue(self)
        self.dead, self.announcer, self.model = FakeDeadLetters(), FakeAnnouncer(self), FakeModel(self)
        self.moved: list[Sent] = []
        self.pauses: list[float] = []
        self._keys = itertools.count(1)
        watched: Any = lambda target: Watched(self, target)  # noqa: E731 - shorter
        self.watched = watched

    def strikes(self, name: str) -> bool:
        return super().strikes(name) or name == self.killed_at

    def now(self) -> float:
        return self.time

    # What happens.

    def post(self, rows: Any = ROWS, key: str | None = None, client: str = CLIENT, **fields: str) -> Accepted:
        """Let a client ask for a job."""
        accepting = Accepting(
            NAME,
            self.keep_days,
            self.watched(self.store),
            self.watched(self.files),
            self.watched(self.queue),
            self,
            self.pauses.append,
        )
        asked = {"caller": client, "subject": ""} | fields
        return accepting.accept(Request(client=client, rows=rows, input_hash=json.dumps(rows), key=key, **asked))

    def post_until_accepted(self, rows: Any = ROWS, key: str | None = None) -> Accepted:
        """Let a client ask with a key until it is answered, as clients with keys do."""
        key = key or f"key-{next(self._keys)}"
        while True:
            accepted = self.guarded(lambda: self.post(rows, key))
            if isinstance(accepted, Accepted):
                return accepted
            self.time += 1

    def guarded(self, work: Callable[[], Any]) -> Any:
        """Run a function; return what it says, or the crash."""
        try:
            return work()
        except CrashError as crash:
            self.crash_at = None
            return crash
        except TidegateError as error:
            return error

    def worker(self) -> Worker:
        """Return a worker as its function makes it."""
        return Worker(NAME, self.attempts, self.outside())

    def outside(self) -> WorkerWorld:
        """Return all that a worker needs."""
        return WorkerWorld(
            store=self.watched(self.store),
            files=self.watched(self.files),
            model=self.watched(self.model),
            dead_letters=self.watched(self.dead),
            announcer=self.watched(self.announcer),
            clock=self,  # type: ignore[arg-type]
            chance=lambda: self.chance,
            uri=lambda key: f"s3://bucket/{key}",
        )

    def deliver(self, message: Sent) -> Any:
        """Let the queue hand a message to a worker; it is deleted only by a worker that lives and says so."""
        message.receives += 1
        if message.receives > self.most_receives:
            self.queue.messages.remove(message)
            self.moved.append(message)
            return None
        message.visible_at = self.time + VISIBILITY_SECONDS
        said = self.guarded(lambda: self.worker().take(message.body, FUNCTION_SECONDS))
        if isinstance(said, Later) and said.anew:
            body, seconds = message.body, said.seconds
            said = self.guarded(lambda: self.watched(self.queue).send_later(body, seconds))
        if said is None:
            self.queue.messages.remove(message)
        elif isinstance(said, Later):
            message.visible_at = self.time + said.seconds
        return said

    def until_over(self, limit: float = 86_400.0) -> None:
        """Let time pass until the queue is empty."""
        end = self.time + limit
        while self.queue.messages:
            assert self.time < end, f"still there: {self.queue.messages}"
            message = min(self.queue.messages, key=lambda each: each.visible_at)
            self.time = max(self.time, message.visible_at)
            self.deliver(message)

    # What was seen.

    def job(self, identity: str) -> Job:
        job = self.store.load(NAME, identity)
        assert job is not None
        return job

    def show(self, identity: str, client: str = CLIENT) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what a client is told."""
        return Showing(NAME, self.store, self.files, self).of(identity, client)  # type: ignore[arg-type]

    def reasons(self, identity: str) -> list[str]:
        """Return why a job lies among the dead letters."""
        return [reason for body, reason in self.dead.sent if messages.read(body).job == identity]

    def check(self, *identities: str) -> None:
        """Fail unless each job ended once, was told, and lies among the dead letters if it got no answer."""
        for identity in identities:
            job = self.job(identity)
            ends = [end for end in self.store.ends if end[0] == identity]
            moved = [each for each in self.moved if messages.read(each.body).job == identity]
            assert len(ends) == 1 or (moved and job.reason), f"{job} ended {ends}"
            assert not job.owed
            told = [detail for detail in self.announcer.details if detail["id"] == identity]
            assert told
            assert all(detail == told[0] for detail in told)
            if job.result:
                assert job.result in self.files.content
                assert ends[0][2] == job.result
            elif job.problem is not None and job.problem["status"] >= 500:
                assert self.reasons(identity)
                assert set(self.reasons(identity)) == {job.reason}
