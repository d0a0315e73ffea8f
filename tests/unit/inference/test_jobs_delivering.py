"""A message that waits for an answer is sent anew: of those that are put off, SQS holds only so many."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.inference.jobs.delivering import Delivery, Shift, work_through
from lambdas.inference.jobs.working import Later
from tests.unit.inference.async_jobs_world import AsyncWorld

LEFT = 60.0


@dataclass
class Queue:
    """A queue that writes down what is done with its messages; `broken` takes none."""

    broken: bool = False
    done: list[tuple[Any, ...]] = field(default_factory=list)

    def put_off(self, receipt: str, seconds: float) -> None:
        self.done.append(("put off", receipt, seconds))

    def send_later(self, body: str, seconds: int) -> None:
        if self.broken:
            raise RuntimeError("SQS is away")
        self.done.append(("sent", body, seconds))


@dataclass
class Says:
    """A worker that says the same of each message."""

    later: Later

    def take(self, text: str, seconds_left: float) -> Later:
        return self.later


def delivered(worker: Any, queue: Queue, body: str = "{}") -> tuple[list[str], list[str]]:
    """Return which messages come again, and what was told of errors."""
    failed: list[str] = []
    shift = Shift(worker, queue, left=lambda: LEFT, needed=1.0, is_open=True, failed=failed.append)
    return work_through(shift, [Delivery("m-1", "receipt-1", body)]), failed


def test_a_job_that_was_handed_over_is_looked_after_by_a_new_message() -> None:
    world, queue = AsyncWorld(), Queue()
    world.post()
    body = world.queue.messages[0].body
    assert delivered(world.worker(), queue, body) == ([], [])
    assert delivered(world.worker(), queue, body) == ([], [])
    assert queue.done == [("sent", body, 60), ("sent", body, 60)]


@pytest.mark.parametrize(("later", "done"), [(Later(60.2, anew=True), ("sent", "{}", 61)), (Later(5.5), None)])
def test_others_are_put_off(later: Later, done: Any) -> None:
    queue = Queue()
    again, failed = delivered(Says(later), queue)
    assert queue.done == [done or ("put off", "receipt-1", 5.5)]
    assert (again, failed) == ([] if done else ["m-1"], [])


def test_one_that_cannot_be_sent_anew_is_put_off() -> None:
    queue = Queue(broken=True)
    again, failed = delivered(Says(Later(60.0, anew=True)), queue)
    assert (again, queue.done) == (["m-1"], [("put off", "receipt-1", 60.0)])
    assert failed == ["the message m-1 could not be sent anew"]
