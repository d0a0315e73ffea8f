"""Takes a job in: its rows first, then the job, then the message that wakes a worker.

Whoever is killed in between has not promised anything yet. A client that sends the same idempotency key again finds
its job, and the message is sent again, for nobody knows whether it was: a worker does what is done already only once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.inference.jobs import bodies, ids, places
from lambdas.inference.jobs.job import Job, Status
from lambdas.inference.jobs.messages import Message
from lambdas.inference.jobs.ports import Clock, Files, Queue, Store
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import ConflictError, PermanentError, TidegateError

SENDS = 3
PAUSE_SECONDS = 0.2
RETRY_AFTER_SECONDS = 5
DAY = 86_400


@dataclass(frozen=True)
class Request:
    """What a client asks for.

    Parameters
    ----------
    client, caller, subject
        Who asks, in whose name, and about whom; empty where nobody is named.
    rows
        As they were sent.
    input_hash
        The same for the same rows.
    key
        The client's idempotency key, if it sent one.
    """

    client: str
    caller: str
    subject: str
    rows: Sequence[Any]
    input_hash: str
    key: str | None = None


@dataclass(frozen=True)
class Accepted:
    """A job that was taken in; `replayed` where that had happened before."""

    id: str
    replayed: bool = False


class Accepting:
    """Takes the jobs of an endpoint in.

    Parameters
    ----------
    endpoint, keep_days
        SageMaker's name, and for how long its jobs are kept.
    store, files, queue, clock
        The world.
    pause
        Waits for some seconds.
    """

    def __init__(
        self,
        endpoint: str,
        keep_days: int,
        store: Store,
        files: Files,
        queue: Queue,
        clock: Clock,
        pause: Callable[[float], None],
    ) -> None:
        self._endpoint, self._keep_seconds = endpoint, keep_days * DAY
        self._store, self._files, self._queue = store, files, queue
        self._clock, self._pause = clock, pause

    def accept(self, request: Request) -> Accepted:
        """Take a job in, or find the one that the same request was before.

        Raises
        ------
        Problem
            When the key was used for something else, or the queue does not take the message.
        """
        asked = ids.request_hash(request.input_hash, request.caller, request.subject)
        if request.key is None:
            return self._take(ids.fresh(), request, asked)
        identity = ids.of_key(self._endpoint, request.client, request.key)
        known = self._known(identity)
        return self._again(known, asked) if known is not None else self._take(identity, request, asked)

    def _known(self, identity: str) -> Job | None:
        job = self._store.load(self._endpoint, identity)
        # DynamoDB takes its time to remove what has expired.
        return job if job is not None and job.expires > self._clock.now() else None

    def _take(self, identity: str, request: Request, asked: str) -> Accepted:
        now = self._clock.now()
        job = self._job(identity, request, asked, now)
        self._files.write(job.input, bodies.request_body(request.rows))
        try:
            self._store.create(job, now)
        except ConflictError:
            known = self._known(identity)
            if known is None:
                raise
            return self._again(known, asked)
        self._wake(identity)
        return Accepted(identity)

    def _again(self, job: Job, asked: str) -> Accepted:
        if job.request_hash != asked:
            raise Problem(
                "conflict",
                f"this Idempotency-Key stands for the job {job.id}, which has other rows or headers; "
                "send a new key for a new job",
            )
        if job.status is Status.QUEUED:
            self._wake(job.id)
        return Accepted(job.id, replayed=True)

    def _job(self, identity: str, request: Request, asked: str, now: float) -> Job:
        return Job(
            endpoint=self._endpoint,
            id=identity,
            client=request.client,
            caller=request.caller,
            subject=request.subject,
            request_hash=asked,
            input=places.input_key(self._endpoint, identity, asked),
            created_at=now,
            expires=int(now) + self._keep_seconds,
        )

    def _wake(self, identity: str) -> None:
        message = Message(self._endpoint, identity).text()
        for left in reversed(range(SENDS)):
            try:
                return self._queue.send(message)
            except PermanentError:
                raise
            except TidegateError as error:
                if not left:
                    raise _not_queued() from error
                self._pause(PAUSE_SECONDS)
        return None


def _not_queued() -> Problem:
    return Problem(
        "unavailable",
        "the job could not be queued; send it again, with the same Idempotency-Key if it has one",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
