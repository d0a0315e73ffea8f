"""What clients and others are told of a job."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.inference.answer_size import LARGEST_BYTES, fits
from lambdas.inference.jobs.job import Job, Status
from lambdas.inference.jobs.ports import Clock, Files, Store
from lambdas.inference.jobs.times import stamp
from lambdas.inference.problems import Problem
from lambdas.rollout.errors import MissingError, TooLargeError

POLL_SECONDS = 2

_SURELY_SHOWN_BYTES = LARGEST_BYTES // 8
"""So many times as long at most is an answer as it is sent."""


class Showing:
    """Shows the jobs of an endpoint.

    Parameters
    ----------
    endpoint
        SageMaker's name.
    store, files, clock
        The world.
    """

    def __init__(self, endpoint: str, store: Store, files: Files, clock: Clock) -> None:
        self._endpoint = endpoint
        self._store, self._files, self._clock = store, files, clock

    def of(self, identity: str, client: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Return a job's document, and the headers of the answer that tells it.

        Raises
        ------
        Problem
            When the client has no such job, or its answer is gone.
        """
        job = self._store.load(self._endpoint, identity)
        # Another client's job is not said to be one: that would tell which ids there are.
        if job is None or job.client != client or job.expires <= self._clock.now():
            raise Problem("not-found", "there is no such job, or it is no longer kept")
        headers = {} if job.ended else {"Retry-After": str(POLL_SECONDS)}
        return {**self._answer(job), **_standing(job)}, headers

    def _answer(self, job: Job) -> dict[str, Any]:
        if job.status is not Status.DONE:
            return {}
        try:
            content = self._files.read(job.result, LARGEST_BYTES)
        except MissingError as error:
            raise Problem("not-found", "the job's answer is no longer kept; ask for it again") from error
        except TooLargeError:
            return _problem(_not_shown(job))
        answer: dict[str, Any] = json.loads(content)
        if len(content) > _SURELY_SHOWN_BYTES and not fits(json.dumps(answer, separators=(",", ":"))):
            return _problem(_not_shown(job))
        return answer


def event_detail(job: Job, location: str) -> dict[str, Any]:
    """Return what an event says of a job that has ended; it may come twice, and its id and end tell that.

    Parameters
    ----------
    location
        URI of the answer; empty where there is none.
    """
    return {
        "id": job.id,
        "endpoint": job.endpoint,
        "status": job.status.value,
        "client": job.client,
        "model_version": job.model_version,
        "location": location,
        "ended_at": stamp(job.ended_at),
    }


def _standing(job: Job) -> dict[str, Any]:
    told: dict[str, Any] = {"id": job.id, "status": job.status.value, "created_at": stamp(job.created_at)}
    if job.ended:
        told["ended_at"] = stamp(job.ended_at)
    if job.status is Status.DONE and job.model_version:
        told["model_version"] = job.model_version
    return {**told, **_problem(job.problem)}


def _not_shown(job: Job) -> Mapping[str, Any]:
    detail = (
        f"the job is done, and its answer is too large to be shown here, where {LARGEST_BYTES} bytes are the most "
        "as it is sent; send fewer rows in a job; whoever runs the front door finds this answer by "
        f"`python -m tidegate jobs show {job.id}`"
    )
    return Problem("too-large", detail).document(job.id)


def _problem(problem: Mapping[str, Any] | None) -> dict[str, Any]:
    return {} if problem is None else {"problem": dict(problem)}
