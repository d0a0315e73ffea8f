"""Answers jobs. It may be killed at any call, and messages come twice: each job still ends once.

Where an endpoint answers later, an attempt is handed over to it, and whoever comes with a message of the job looks for
the answer: SageMaker's own message, or the job's, which comes again in case the other got lost. A worker that is killed
before it has written down where the answer will lie leaves that to SageMaker's message, which says it too.

Each attempt is written on the job before the model is asked, with a lease that ends after the worker's own end; so a
job whose worker is always killed tells so. The end is written with what others are then owed (the event, the dead
letter), and whoever finds that unpaid pays it: both may come twice, and never without the end being durable.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from lambdas.inference.jobs import backoff, bodies, lasting, messages, places
from lambdas.inference.jobs.job import DEAD_LETTER, EVENT, Job, Status
from lambdas.inference.jobs.messages import Message, NoJobError, UnreadableMessageError
from lambdas.inference.jobs.ports import (
    Announcer,
    Answer,
    Clock,
    DeadLetters,
    Files,
    HandedOver,
    JobsEndpoint,
    Model,
    PerhapsOutdatedError,
    Store,
)
from lambdas.inference.jobs.showing import event_detail
from lambdas.inference.jobs.times import stamp
from lambdas.inference.problems import Problem, is_callers_fault
from lambdas.rollout.errors import ConflictError, MissingError, ModelAnswerError, TidegateError, in_words

LEASE_MARGIN_SECONDS = 30.0
SOON_SECONDS = 5.0

UNREADY_SECONDS = 60.0
"""How often a job asks for an endpoint that is only being made."""

_UNREADY = "the endpoint for jobs is being made, which takes minutes; the job is handed to it as soon as it is there"

FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 60.0, 900.0
"""After how long a job's own message looks for the answer, should SageMaker's have got lost: ever longer, up to the
longest delay that SQS knows."""


@dataclass(frozen=True)
class Later:
    """A message that is to come again.

    Parameters
    ----------
    seconds
        After how long.
    busy
        Whether the endpoint is why, so that the next job would fare no better.
    anew
        Whether the message waits for an answer, for which there may be very many at a time: it is sent anew.
    """

    seconds: float
    busy: bool = False
    anew: bool = False


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
    jobs_endpoint: JobsEndpoint | None = None
    """Answers in the place of `model`, later."""


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
        except NoJobError:
            return None
        except UnreadableMessageError as error:
            self._world.dead_letters.send(text, str(error))
            return None
        if message.endpoint != self._endpoint:
            reason = f"the message is for {message.endpoint}, and this queue is {self._endpoint}'s"
            self._world.dead_letters.send(text, reason)
            return None
        job = self._world.store.load(message.endpoint, message.job)
        # One that has expired, or was erased, is asked for by nobody any more.
        return None if job is None else self._work(job, message, seconds_left)

    def put_off(self) -> Later:
        """Return when a message comes again that the endpoint is too busy for."""
        return Later(backoff.seconds(1, self._world.chance), busy=True)

    def _work(self, job: Job, message: Message, seconds_left: float) -> Later | None:
        now = self._world.clock.now()
        if job.ended:
            return self._tell(job)
        if job.handed_over:
            return self._look(job, message)
        if message.attempt and message.attempt != job.attempt:
            # Of an attempt that nobody waits for any more; the job has a message of its own.
            return None
        heard = self._heard(job, message, now)
        if heard is not None:
            return self._adopt(job, message, heard)
        if job.leased(now):
            # Not done with: if its worker is killed, this may be the last message that knows of it. What SageMaker
            # tells of is just being written down as handed over.
            return Later(SOON_SECONDS if message.attempt else self._lease_over(job, now))
        if self._is_last(job):
            return self._give_up(job, job.attempted())
        if now + self._needed() > job.expires:
            until = f"kept until {stamp(job.expires)}"
            return self._give_up(job, f"it is {until}, too soon for an attempt; before: {job.reason or 'nothing'}")
        if self._unready(job, now):
            return self._wait(job)
        try:
            begun = self._world.store.save(job.begun(now, seconds_left + LEASE_MARGIN_SECONDS))
        except ConflictError:
            return Later(SOON_SECONDS)
        return self._attempt(begun)

    def _needed(self) -> float:
        endpoint = self._world.jobs_endpoint
        return lasting.RESERVE_SECONDS + (endpoint.longest_seconds if endpoint is not None else 0.0)

    def _is_last(self, job: Job) -> bool:
        return job.tries >= self._attempts

    def _heard(self, job: Job, message: Message, now: float) -> HandedOver | None:
        """Return what SageMaker tells of an attempt whose worker did not live to write it down."""
        endpoint, lives = self._world.jobs_endpoint, job.leased(now + LEASE_MARGIN_SECONDS)
        if endpoint is None or not message.attempt or lives:
            return None
        # That an attempt has failed is news only while nobody knows what has become of it.
        return None if message.failure and job.status is not Status.RUNNING else endpoint.heard(message)

    def _adopt(self, job: Job, message: Message, heard: HandedOver) -> Later | None:
        try:
            adopted = self._handed(job, heard)
        except ConflictError:
            return Later(SOON_SECONDS)
        return self._look(adopted, message)

    def _handed(self, job: Job, given: HandedOver) -> Job:
        now = self._world.clock.now()
        return self._world.store.save(job.handed(given.output, given.failure, given.standing, now, given.seconds))

    def _lease_over(self, job: Job, now: float) -> float:
        return job.lease_until - now + SOON_SECONDS * self._world.chance()

    def _unready(self, job: Job, now: float) -> bool:
        endpoint = self._world.jobs_endpoint
        return endpoint is not None and now - job.created_at < lasting.UNREADY_LIMIT_SECONDS and not endpoint.ready()

    def _wait(self, job: Job) -> Later:
        """Come again when the endpoint may be there; whoever looks at the job is told that it waits for that."""
        if not job.reason:
            with suppress(TidegateError):  # a job that cannot be written down now waits without a reason
                self._world.store.save(replace(job, reason=_UNREADY))
        return Later(UNREADY_SECONDS)

    def _attempt(self, job: Job) -> Later | None:
        try:
            rows = self._world.files.read(job.input)
        except MissingError as error:
            return self._give_up(job, f"its rows are gone: {in_words(error)}")
        except Exception as error:
            return self._failed(job, in_words(error))
        try:
            if self._world.jobs_endpoint is not None:
                return self._hand_over(job, rows, self._world.jobs_endpoint)
            answer = self._ask(job, rows)
        except Problem as problem:
            return self._no_answer(job, problem)
        except Exception as error:  # whatever it was, the attempt is over, and the job must say why
            return self._failed(job, in_words(error))
        return self._end(self._answered(job, answer))

    def _ask(self, job: Job, rows: bytes) -> Answer:
        answer = self._world.model.ask(job, rows)
        self._keep(job, answer)
        return answer

    def _keep(self, job: Job, answer: Answer) -> None:
        bodies.predictions(answer.body)
        self._world.files.write(places.result_key(job.endpoint, job.id, job.attempt), answer.body)

    def _hand_over(self, job: Job, rows: bytes, endpoint: JobsEndpoint) -> Later | None:
        given = endpoint.hand_over(job, rows)
        try:
            self._handed(job, given)
        except ConflictError:
            return Later(SOON_SECONDS)
        return Later(FIRST_LOOK_SECONDS, anew=True)

    def _look(self, job: Job, message: Message) -> Later | None:
        endpoint = self._world.jobs_endpoint
        if endpoint is None:
            return self._failed(job, "the endpoint that it was handed over to is there no more")
        try:
            answer = endpoint.look(job, message.failure if message.attempt == job.attempt else "")
            if answer is not None:
                self._keep(job, answer)
        except Problem as problem:
            return self._no_answer(job, problem)
        except PerhapsOutdatedError as error:
            # Asked for the last time, it is what the container says that helps the caller, whoever is live.
            return self._no_answer(job, error.problem) if self._is_last(job) else self._failed(job, in_words(error))
        except ModelAnswerError as error:
            return self._failed(job, in_words(error))
        except Exception as error:  # the answer may be there all the same, and is looked for again
            return self._unanswered(job, f": {in_words(error)}")
        if answer is not None:
            return self._end(self._answered(job, answer))
        # What SageMaker tells of is there by then: this message is of an older attempt, and the job has its own.
        return None if message.attempt else self._unanswered(job)

    def _unanswered(self, job: Job, why: str = "") -> Later | None:
        now = self._world.clock.now()
        if now >= job.lease_until:
            return self._failed(job, f"it was handed over at {stamp(job.handed_at)} and never answered{why}")
        pause = min(max(FIRST_LOOK_SECONDS, now - job.handed_at), LONGEST_LOOK_SECONDS)
        return Later(min(pause, job.lease_until - now + SOON_SECONDS), anew=True)

    def _no_answer(self, job: Job, problem: Problem) -> Later | None:
        if is_callers_fault(problem):
            return self._end(job.refused(problem.document(job.id), self._world.clock.now()))
        return self._failed(job, str(problem))

    def _answered(self, job: Job, answer: Answer) -> Job:
        result = places.result_key(job.endpoint, job.id, job.attempt)
        return job.answered(result, answer.model_version, answer.variant, self._world.clock.now())

    def _failed(self, job: Job, why: str) -> Later | None:
        if self._is_last(job):
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
    if not job.attempt:
        return Problem("unavailable", "the model could not be asked while the job was kept; send it again later")
    times = "once" if job.attempt == 1 else f"{job.attempt} times"
    return Problem("unavailable", f"the model was asked {times} and has not answered; send the job again later")
