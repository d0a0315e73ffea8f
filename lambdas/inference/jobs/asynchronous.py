"""An endpoint of their own, as jobs ask it: SageMaker Asynchronous Inference.

The rows are where they were written when the job was taken in; the endpoint reads them from there, under its own role.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lambdas.contract import JOBS_VARIANT, jobs_answers_folder, jobs_failures_folder
from lambdas.inference.audit import Prediction, line
from lambdas.inference.canonical import input_hash
from lambdas.inference.following.standing import Standing
from lambdas.inference.jobs import bodies, lasting, messages
from lambdas.inference.jobs.job import Job
from lambdas.inference.jobs.messages import Message
from lambdas.inference.jobs.ports import Answer, Files, HandedOver, PerhapsOutdatedError
from lambdas.inference.ports import InvocationError, Ports
from lambdas.inference.problems import Problem, is_callers_fault
from lambdas.inference.settings import FrontDoor, Jobs
from lambdas.inference.signature import Signature
from lambdas.rollout.errors import MissingError

SHORTEST_QUEUED, LONGEST_QUEUED = 60, 21_600
"""Bounds that SageMaker sets for the seconds that a request may wait for an instance."""

_OK = 200


class Runtime(Protocol):
    """SageMaker, as far as requests are handed over."""

    def invoke(self, rows: str, inference_id: str, queued_seconds: int, model_seconds: int) -> tuple[str, str]:
        """Have rows answered that lie in S3; return where the answer will lie, and where why there is none.

        Raises
        ------
        InvocationError
            When they are not taken.
        """


@dataclass(frozen=True)
class Outside:
    """What an asynchronous endpoint needs of the world.

    Parameters
    ----------
    ports
        Of the front door.
    runtime, files
        SageMaker, and the artefact bucket.
    standing
        Returns what the endpoint stands for just now.
    failed
        Returns what it comes to that there is no answer: of what SageMaker has said, and of what it has left.
    uri, key
        Return the URI of a key in the bucket, and the other way round.
    """

    ports: Ports
    runtime: Runtime
    files: Files
    standing: Callable[[], Standing]
    failed: Callable[[str, str], InvocationError]
    uri: Callable[[str], str]
    key: Callable[[str], str]


class AsynchronousEndpoint:
    """Implements `lambdas.inference.jobs.ports.JobsEndpoint`.

    Parameters
    ----------
    settings
        How the front door behaves.
    outside
        The world.
    """

    def __init__(self, settings: FrontDoor, outside: Outside) -> None:
        self._settings, self._outside, self._ports = settings, outside, outside.ports
        jobs = settings.jobs or Jobs()
        self._model_seconds = math.ceil(settings.timeout_seconds)
        room = lasting.queued_seconds(jobs.keep_days, jobs.attempts, self._model_seconds)
        self._queued_seconds = min(max(room, SHORTEST_QUEUED), LONGEST_QUEUED)
        self.longest_seconds = self._queued_seconds + self._model_seconds + lasting.MARGIN_SECONDS

    def ready(self) -> bool:
        """Return whether the endpoint takes requests by now."""
        return self._outside.standing().ready_at > 0

    def hand_over(self, job: Job, body: bytes) -> HandedOver:
        """Give it a job's attempt; what is wrong with the rows is found before an instance is started for them."""
        try:
            self._rows(body)
        except Problem as problem:
            self._write_down(job, problem.status, None, None)
            raise
        # Read before: what is changed from here on has another number when the answer is there.
        standing = self._outside.standing().token
        try:
            output, failure = self._outside.runtime.invoke(
                self._outside.uri(job.input),
                messages.inference_id(job.id, job.attempt),
                self._queued_seconds,
                self._model_seconds,
            )
        except InvocationError as error:
            self._ports.log.warning(f"a job was not handed over: {error}", job=job.id)
            raise error.problem from error
        return HandedOver(output, failure, standing, self.longest_seconds)

    def heard(self, message: Message) -> HandedOver | None:
        """Return what a message tells of an attempt of which nobody has written down that it was handed over."""
        name = self._settings.endpoint
        output = self._below(jobs_answers_folder(name), message.output)
        if not (output or message.failure):
            return None
        # What the endpoint stood for then was known to the worker that was killed.
        return HandedOver(output, self._below(jobs_failures_folder(name), message.left), "", self.longest_seconds)

    def _below(self, folder: str, place: str) -> str:
        """Return a place that lies in a folder; nothing for any other, for the queue's messages are but text."""
        return place if place.startswith(self._outside.uri(f"{folder}/")) else ""

    def look(self, job: Job, failure: str) -> Answer | None:
        """Return the endpoint's answer; None where there is none yet."""
        body = self._found(job.output)
        if body is not None:
            return self._answered(job, body)
        left = self._found(job.failure)
        if left is None and not failure:
            return None
        raise self._no_answer(job, failure, (left or b"").decode(errors="replace"))

    def _answered(self, job: Job, body: bytes) -> Answer:
        predictions, certain = bodies.predictions(body), self._certain(job)
        self._write_down(job, _OK, certain, predictions)
        return Answer(body, certain.version if certain else "", JOBS_VARIANT)

    def _no_answer(self, job: Job, failure: str, left: str) -> Exception:
        error, certain = self._outside.failed(failure, left), self._certain(job)
        self._ports.log.warning(f"no prediction: {error}", job=job.id)
        self._write_down(job, error.problem.status, certain, None)
        if is_callers_fault(error.problem) and not self._is_live(certain):
            return PerhapsOutdatedError(error.problem)
        return error.problem

    def _certain(self, job: Job) -> Standing | None:
        """Return what has answered, where nothing else can have."""
        standing = self._outside.standing()
        return standing if job.standing and standing.token == job.standing else None

    def _is_live(self, standing: Standing | None) -> bool:
        view = self._ports.views.latest()
        return standing is not None and view is not None and view.live.key == standing.key

    def _found(self, place: str) -> bytes | None:
        if not place:
            return None
        try:
            return self._outside.files.read(self._outside.key(place))
        except MissingError:
            return None

    def _rows(self, body: bytes) -> tuple[Sequence[Any], Signature | None]:
        """Return rows as the live version takes them, with what it says of them where that is known."""
        rows, view = json.loads(body)["instances"], self._ports.views.latest()
        signature = self._ports.signatures.of(view.live) if view is not None else None
        return signature.check(rows) if signature is not None else rows, signature

    def _write_down(self, job: Job, status: int, standing: Standing | None, predictions: Sequence[Any] | None) -> None:
        if self._settings.audit is None:
            return
        rows, signature = self._understood(self._found(job.input) or b'{"instances":[]}')
        columns = signature.names if signature is not None else None
        at, answered = job.handed_at or job.began_at, predictions is not None
        prediction = Prediction(
            id=job.id,
            at=at,
            endpoint=self._settings.endpoint,
            client=job.client,
            caller=job.caller or job.client,
            subject=job.subject or None,
            status=status,
            latency_ms=(self._ports.now() - at) * 1000,
            model_version=standing.version if standing else "",
            model_key=standing.key if standing else "",
            variant=JOBS_VARIANT if answered else "",
            answer_source="model" if answered else "",
            input_hash=input_hash(rows, columns),
            rows=len(rows),
            input=rows,
            columns=columns,
            output=predictions,
            outputs=signature.outputs if signature is not None else (),
        )
        self._ports.log.record(line(prediction, self._settings.audit))

    def _understood(self, body: bytes) -> tuple[Sequence[Any], Signature | None]:
        try:
            return self._rows(body)
        except Problem:
            return json.loads(body)["instances"], None
