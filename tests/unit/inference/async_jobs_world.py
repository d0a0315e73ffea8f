"""Jobs with an endpoint of their own in virtual time: SageMaker answers later, tells of it, or loses it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from lambdas.inference.adapters.refusals import of_failure
from lambdas.inference.following.standing import Standing
from lambdas.inference.jobs.asynchronous import AsynchronousEndpoint, Outside
from lambdas.inference.jobs.working import World as WorkerWorld
from lambdas.inference.ports import InvocationError
from lambdas.inference.problems import Problem
from lambdas.inference.settings import Asynchronous, Audit, Jobs
from tests.unit.inference.jobs_world import NAME, Sent, World
from tests.unit.inference.serving_fakes import Door

BUCKET = "s3://bucket/"
ANSWER_SECONDS = 40.0
KEY = "arn:v1"
"""Of the version that is live, as `Door` writes it."""


@dataclass
class FakeSageMaker:
    """The asynchronous endpoint; `says` are what it does with the next requests, and then `always`.

    `answer`, `silent` (nobody is told), `twice` (told twice), `at once` (told before the worker goes on), `lost`,
    `failed`, `refused`, `expired` (told, and nothing is left), or an error of the call.
    """

    world: "AsyncWorld"
    says: list[str | Exception] = field(default_factory=list)
    always: str | Exception = "answer"
    asked: list[tuple[str, str, int, int]] = field(default_factory=list)
    due: list[tuple[float, str, str, int]] = field(default_factory=list)

    def invoke(self, rows: str, inference_id: str, queued_seconds: int, model_seconds: int) -> tuple[str, str]:
        job = self.world.store.load(NAME, inference_id.rpartition("-")[0])
        assert job is not None
        assert inference_id == f"{job.id}-{job.attempt}", "an attempt must be durable before it is handed over"
        assert rows.removeprefix(BUCKET) in self.world.files.content
        said = self.says.pop(0) if self.says else self.always
        if isinstance(said, Exception):
            raise said
        number = len(self.asked)
        self.asked.append((rows, inference_id, queued_seconds, model_seconds))
        if said == "at once":
            self.carry_out(said, inference_id, number)
        elif said != "lost":
            self.due.append((self.world.time + ANSWER_SECONDS, said, inference_id, number))
        return self._place("answers", number), self._place("failures", number)

    def carry_out(self, said: str, inference_id: str, number: int) -> None:
        """Answer a request."""
        files = self.world.files.content
        reason = {"refused": "ClientError: Received client error (422) from model.", "expired": "it has expired"}
        if said == "failed":
            files[self._key("failures", number)] = b'{"title": "broken", "status": 500, "detail": "a bug"}'
        elif said == "refused":
            files[self._key("failures", number)] = b'{"detail": "row 1 has no dew_point", "errors": []}'
        elif said != "expired":
            files[self._key("answers", number)] = b'{"predictions": [%d]}' % (number + 1)
        told = {"silent": 0, "twice": 2}.get(said, 1)
        failed = said in ("failed", "refused", "expired")
        for _ in range(told):
            place = self._place("failures" if failed else "answers", number)
            text = notification(inference_id, place, failed=failed, reason=reason.get(said, "server error (500)"))
            self.world.queue.messages.append(Sent(text, self.world.time))

    @staticmethod
    def _key(folder: str, number: int) -> str:
        return f"inference/{NAME}/{folder}/{number}.out"

    def _place(self, folder: str, number: int) -> str:
        return BUCKET + self._key(folder, number)


def notification(inference_id: str, place: str = "", *, failed: bool = False, reason: str = "") -> str:
    """Return what SageMaker tells the topic, of which the queue gets the text as it is."""
    fields: dict[str, Any] = {
        "awsRegion": "eu-west-1",
        "invocationStatus": "Failed" if failed else "Completed",
        "requestParameters": {"endpointName": f"jobs-{NAME}", "inputLocation": f"{BUCKET}x"},
        "inferenceId": inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if failed:
        return json.dumps({**fields, "failureReason": reason, **({"failureLocation": place} if place else {})})
    return json.dumps({**fields, "responseParameters": {"contentType": "application/json", "outputLocation": place}})


class AsyncWorld(World):
    """An endpoint whose jobs have one of their own."""

    def __init__(self, attempts: int = 3, keep_days: int = 7, audit: Audit | None = None) -> None:
        super().__init__(attempts, keep_days)
        self.door = Door(jobs=Jobs(attempts, keep_days, Asynchronous()), audit=audit, cache=None)
        self.door.signatures.known = None
        self.sagemaker = FakeSageMaker(self)
        self.most_receives = 1000
        self.standing = Standing(NAME, 1, "c-1", "v1", KEY, settled_at=1.0, ready_at=1.0)

    def outside(self) -> WorkerWorld:
        """Return all that a worker needs, the jobs' own endpoint among it."""
        self.door.clock.time = self.time
        endpoint = Outside(
            ports=replace(self.door.ports, now=self.now),
            runtime=self.watched(self.sagemaker),
            files=self.watched(self.files),
            standing=self._standing,
            failed=of_failure,
            uri=lambda key: f"{BUCKET}{key}",
            key=lambda place: place.removeprefix(BUCKET),
        )
        return replace(
            super().outside(),
            uri=lambda key: f"{BUCKET}{key}",
            jobs_endpoint=AsynchronousEndpoint(self.door.settings, endpoint),
        )

    def _standing(self) -> Standing:
        return self.standing

    def until_over(self, limit: float = 10 * 86_400.0) -> None:
        """Let time pass until the queue is empty, and SageMaker has nothing more to say."""
        end = self.time + limit
        while self.queue.messages or self.sagemaker.due:
            assert self.time < end, f"still there: {self.queue.messages}"
            self.step()

    def step(self) -> Any:
        """Let the next thing happen."""
        message = min(self.queue.messages, key=lambda each: each.visible_at, default=None)
        answer = min(self.sagemaker.due, default=None)
        if answer is not None and (message is None or answer[0] <= message.visible_at):
            self.time = max(self.time, answer[0])
            self.sagemaker.due.remove(answer)
            return self.sagemaker.carry_out(*answer[1:])
        assert message is not None
        self.time = max(self.time, message.visible_at)
        return self.deliver(message)


def refused() -> InvocationError:
    """Return that SageMaker does not take a request."""
    return InvocationError(Problem("unavailable", "the model cannot be reached"), at_fault=True)
