"""A job, and how it goes from being asked for to being answered. Pure: it sees the durable job and the time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lambdas.inference.jobs.times import stamp

MOST_REASON = 500

EVENT, DEAD_LETTER = "event", "dead-letter"
"""What is owed to others once a job has ended; written with its end, so that whoever comes next makes up for it."""


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Job:
    """A request that is answered later.

    Parameters
    ----------
    endpoint, id
        What it is known by.
    client, caller, subject
        Who asked, in whose name, and about whom; empty where nobody says.
    request_hash
        Tells a repeated request from another one under the same key.
    input, result
        Keys of its rows and of the model's answer in the artefact bucket.
    created_at, expires
        When it was asked for, and until when it is kept, whatever becomes of it: its rows are not kept longer.
    attempt, tries
        How often the model has been asked, and how often since it was queued: an operator may queue it again.
    began_at, lease_until
        When the latest attempt began, and until when nobody else begins one.
    handed_at, output, failure
        When the latest attempt was handed over to an endpoint that answers later, and the URIs of its answer and of why
        there is none; nothing where it was not. Of one that was only heard to have failed there is no answer's.
    standing
        Which of that endpoint's standings it was handed over in, by which the version that answers may be known.
    strewn
        URIs of all that such attempts may have left outside of the job's folder.
    ended_at
        When it was answered, or given up.
    reason
        What is known of the latest attempt, in words, for operators.
    problem
        What the client is told of a failed job.
    model_version, variant
        Who answered.
    owed
        What others have not been told yet.
    version
        Counts the writes, so that two workers cannot both write.
    """

    endpoint: str
    id: str
    client: str
    request_hash: str
    input: str
    created_at: float
    expires: int
    caller: str = ""
    subject: str = ""
    status: Status = Status.QUEUED
    attempt: int = 0
    tries: int = 0
    began_at: float = 0.0
    lease_until: float = 0.0
    handed_at: float = 0.0
    output: str = ""
    failure: str = ""
    standing: str = ""
    strewn: tuple[str, ...] = ()
    ended_at: float = 0.0
    reason: str = ""
    problem: Mapping[str, Any] | None = None
    result: str = ""
    model_version: str = ""
    variant: str = ""
    owed: tuple[str, ...] = ()
    version: int = 0

    @property
    def ended(self) -> bool:
        """Return whether it has its answer, or will get none."""
        return self.status in (Status.DONE, Status.FAILED)

    @property
    def handed_over(self) -> bool:
        """Return whether an endpoint has the latest attempt in hand that answers later."""
        return self.status is Status.RUNNING and self.handed_at > 0

    def leased(self, now: float) -> bool:
        """Return whether somebody may be working on it."""
        return self.status is Status.RUNNING and now < self.lease_until

    def attempted(self) -> str:
        """Return what is known of an attempt that nobody has told the end of, in words."""
        return f"attempt {self.attempt} began at {stamp(self.began_at)} and never ended: its worker was killed"

    def begun(self, now: float, lease_seconds: float) -> "Job":
        """Return it with one more attempt that has just begun."""
        attempt = self.attempt + 1
        return replace(
            self,
            status=Status.RUNNING,
            attempt=attempt,
            tries=self.tries + 1,
            began_at=now,
            lease_until=now + lease_seconds,
            handed_at=0.0,
            output="",
            failure="",
            standing="",
            reason=f"attempt {attempt} began at {stamp(now)} and has not ended",
        )

    def handed(self, output: str, failure: str, standing: str, now: float, seconds: float) -> "Job":
        """Return it as it waits for an answer to the latest attempt, `seconds` at most."""
        return replace(
            self,
            status=Status.RUNNING,
            handed_at=now,
            output=output,
            failure=failure,
            standing=standing,
            strewn=(*self.strewn, output, failure),
            lease_until=now + seconds,
            reason=f"attempt {self.attempt} was handed over at {stamp(now)} and has not been answered",
        )

    def put_back(self, why: str) -> "Job":
        """Return it as it waits for another attempt."""
        return replace(self, status=Status.QUEUED, lease_until=0.0, reason=_short(f"attempt {self.attempt}: {why}"))

    def answered(self, result: str, model_version: str, variant: str, now: float) -> "Job":
        """Return it with the model's answer."""
        done = replace(self, result=result, model_version=model_version, variant=variant)
        return done._over(Status.DONE, "", now, (EVENT,))

    def refused(self, problem: Mapping[str, Any], now: float) -> "Job":
        """Return it as failed by the caller's own fault, which is told to the caller alone."""
        told = str(problem.get("detail") or problem.get("title") or "")
        return replace(self, problem=problem)._over(Status.FAILED, told, now, (EVENT,))

    def given_up(self, problem: Mapping[str, Any], why: str, now: float) -> "Job":
        """Return it as failed though the caller has done nothing wrong: operators find it among the dead letters."""
        return replace(self, problem=problem)._over(Status.FAILED, why, now, (DEAD_LETTER, EVENT))

    def told(self) -> "Job":
        """Return it with nothing owed any more."""
        return replace(self, owed=())

    def queued_again(self, now: float) -> "Job":
        """Return it with all its tries; its attempts are counted on, and it is kept no longer, as its rows are not."""
        return replace(
            self,
            status=Status.QUEUED,
            tries=0,
            lease_until=0.0,
            ended_at=0.0,
            problem=None,
            owed=(),
            reason=_short(f"queued again at {stamp(now)}; before: {self.reason or 'nothing'}"),
        )

    def _over(self, status: Status, reason: str, now: float, owed: tuple[str, ...]) -> "Job":
        return replace(self, status=status, lease_until=0.0, ended_at=now, reason=_short(reason), owed=owed)


def _short(text: str) -> str:
    return text[:MOST_REASON]
