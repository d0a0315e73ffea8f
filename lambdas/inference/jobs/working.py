"""Answers jobs. It may be killed at any call, and messages come twice: each job still ends once.

Each attempt is written on the job before the model is asked, with a lease that ends after the worker's own end; so a
job whose worker is always killed tells so. The end is written with what others are then owed (the event, the dead
letter), and whoever finds that unpaid pays it: both may come twice, and never without the end being durable.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lambdas.inference.jobs import backoff, bodies, messages, places
from lambdas.inference.jobs.job import DEAD_LETTER, EVENT, Job
from lambdas.inference.jobs.messages import Message, UnreadableMessageError
from lambdas.inference.jobs.ports import Announcer, Answer, Clock, DeadLetters, Files, Model, Store
from lambdas.inference.jobs.showing import event_detail
from lambdas.inference.problems import Problem, is_callers_fault
from lambdas.rollout.errors import ConflictError, MissingError, in_words

LEASE_MARGIN_SECONDS = 30.0
SOON_SECONDS = 5.0


@dataclass(frozen=True)
class Later:
    """A message that is to come again.

    Parameters
    ----------
    seconds
        After how long.
    busy
        Whether the endpoint is why, so that the next job would fare no better.
    """

    seconds: float
    busy: bool = False


@dataclass(frozen=True)
class World:
    """What a worker needs."""

    store: Store
    files: Files
    model: Model
    dead_letters: DeadLetters
    announcer: Announcer
    clock: Clock
    chance: Callable[[], float]
    uri: Callable[[str], str]
    """Returns the URI of a key in the artefact bucket."""


class Worker:
    """Works on an endpoint's jobs.

    Parameters
    ----------
    endpoint, attempts
        SageMaker's name, and how often it is asked before a job fails.
    world
        The world.
    """

    def __init__(self, endpoint: str, attempts: int, world: World) -> None:
        self._endpoint, self._attempts, self._world = endpoint, attempts, world

    def take(self, text: str, seconds_left: float) -> Later | None:
        """Work on the job that a message names; return None when the message has done its duty.

        Parameters
        ----------
        seconds_left
            For how long this worker still lives.
        """
        try:
            message = messages.read(text)
        except UnreadableMessageError as error:
            self._world.dead_letters.send(text, str(error))
            return None
        if message.endpoint != self._endpoint:
            reason = f"the message is for {message.endpoint}, and this queue is {self._endpoint}'s"
            self._world.dead_letters.send(text, reason)
            return None
        job = self._world.store.load(message.endpoint, message.job)
        # One that has expired, or was erased, is asked for by nobody any more.
        return None if job is None else self._work(job, seconds_left)

    def put_off(self) -> Later:
        """Return when a message comes again that the endpoint is too busy for."""
        return Later(backoff.seconds(1, self._world.chance), busy=True)

    def _work(self, job: Job, seconds_left: float) -> Later | None:
        now = self._world.clock.now()
        if job.ended:
            return self._tell(job)
        if job.leased(now):
            # Not done with: if its worker is killed, this may be the last message that knows of it.
            return Later(job.lease_until - now + SOON_SECONDS * self._world.chance())
        if job.tries >= self._attempts:
            return self._give_up(job, job.attempted())
        try:
            begun = self._world.store.save(job.begun(now, seconds_left + LEASE_MARGIN_SECONDS))
        except ConflictError:
            return Later(SOON_SECONDS)
        return self._attempt(begun)

    def _attempt(self, job: Job) -> Later | None:
        try:
            rows = self._world.files.read(job.input)
        except MissingError as error:
            return self._give_up(job, f"its rows are gone: {in_words(error)}")
        except Exception as error:
            return self._failed(job, in_words(error))
        try:
            answer = self._ask(job, rows)
        except Problem as problem:
            if is_callers_fault(problem):
                return self._end(job.refused(problem.document(job.id), self._world.clock.now()))
            return self._failed(job, str(problem))
        except Exception as error:  # whatever it was, the attempt is over, and the job must say why
            return self._failed(job, in_words(error))
        return self._end(self._answered(job, answer))

    def _ask(self, job: Job, rows: bytes) -> Answer:
        answer = self._world.model.ask(job, rows)
        bodies.predictions(answer.body)
        self._world.files.write(places.result_key(job.endpoint, job.id, job.attempt), answer.body)
        return answer

    def _answered(self, job: Job, answer: Answer) -> Job:
        result = places.result_key(job.endpoint, job.id, job.attempt)
        return job.answered(result, answer.model_version, answer.variant, self._world.clock.now())

    def _failed(self, job: Job, why: str) -> Later | None:
        if job.tries >= self._attempts:
            return self._give_up(job, f"attempt {job.attempt}, the last: {why}")
        try:
            self._world.store.save(job.put_back(why))
        except ConflictError:
            return Later(SOON_SECONDS)
        return Later(backoff.seconds(job.tries, self._world.chance), busy=True)

    def _give_up(self, job: Job, why: str) -> Later | None:
        return self._end(job.given_up(_given_up(job).document(job.id), why, self._world.clock.now()))

    def _end(self, job: Job) -> Later | None:
        try:
            return self._tell(self._world.store.save(job))
        except ConflictError:
            # Somebody else has gone on with it, and what they found is what counts.
            return Later(SOON_SECONDS)

    def _tell(self, job: Job) -> Later | None:
        if not job.owed:
            return None
        if DEAD_LETTER in job.owed:
            self._world.dead_letters.send(Message(job.endpoint, job.id).text(), job.reason)
        if EVENT in job.owed:
            self._world.announcer.announce(event_detail(job, self._world.uri(job.result) if job.result else ""))
        try:
            self._world.store.save(job.told())
        except ConflictError:
            return Later(SOON_SECONDS)
        return None


def _given_up(job: Job) -> Problem:
    times = "once" if job.attempt == 1 else f"{job.attempt} times"
    return Problem("unavailable", f"the model was asked {times} and has not answered; send the job again later")
