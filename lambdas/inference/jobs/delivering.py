"""Messages of the queue, one after the other, for as long as the endpoint answers and the function lives."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lambdas.inference.jobs.working import Later, Worker

SHORT_OF_TIME_SECONDS = 2.0
CLOSED_SECONDS = 900
"""After how long a message is looked at again while jobs are switched off: the longest delay that SQS knows."""


@dataclass(frozen=True)
class Delivery:
    """A message that was received.

    Parameters
    ----------
    id, receipt
        What it is called, and what this delivery of it is.
    body
        What it says.
    """

    id: str
    receipt: str
    body: str


class Putting(Protocol):
    """The queue, as far as messages come again."""

    def put_off(self, receipt: str, seconds: float) -> None:
        """Have a message delivered again after some seconds."""
        ...

    def send_later(self, body: str, seconds: int) -> None:
        """Send a message that is delivered after some seconds."""
        ...


@dataclass(frozen=True)
class Shift:
    """One invocation of the worker's function.

    Parameters
    ----------
    worker, queue
        Who works, and where the messages come from.
    left
        Returns how many seconds this invocation has left.
    needed
        How many of them a job may take.
    is_open
        Whether jobs are worked on at all just now.
    failed
        Told of an error that nobody foresaw, while it is handled.
    """

    worker: Worker
    queue: Putting
    left: Callable[[], float]
    needed: float
    is_open: bool
    failed: Callable[[str], None]


def work_through(shift: Shift, deliveries: Sequence[Delivery]) -> list[str]:
    """Work on messages; return the ids of those that are to come again.

    Once the endpoint is too busy for one, the others are put off as well: asking for them all would cost each an
    attempt, and the endpoint the rest of its breath.
    """
    again, busy = [], False
    for delivery in deliveries:
        try:
            later = _next(shift, delivery, busy=busy)
        except Exception:
            # The queue delivers it again after its own time.
            shift.failed(f"the message {delivery.id} could not be worked on")
            again.append(delivery.id)
            continue
        if later is not None:
            busy = busy or later.busy
            if not (later.anew and _sent_anew(shift, delivery, later)):
                again.append(delivery.id)
                _put_off(shift, delivery, later)
    return again


def _next(shift: Shift, delivery: Delivery, *, busy: bool) -> Later | None:
    if not shift.is_open:
        # Anew, for the queue counts deliveries of a message and buries it after too many of them. This one is done with
        # once the other is sent: a worker that is killed in between leaves two, and the job ends once all the same.
        shift.queue.send_later(delivery.body, CLOSED_SECONDS)
        return None
    if busy:
        return shift.worker.put_off()
    if shift.left() < shift.needed:
        return Later(SHORT_OF_TIME_SECONDS)
    return shift.worker.take(delivery.body, shift.left())


def _sent_anew(shift: Shift, delivery: Delivery, later: Later) -> bool:
    """Send a message again that is then done with; return whether that has gone well.

    One that was put off counts as in flight, of which a queue has 120,000 at most, and hands out none beyond:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
    A delayed one does not. A worker that is killed in between leaves two, and the job ends once all the same.
    """
    try:
        shift.queue.send_later(delivery.body, math.ceil(later.seconds))
    except Exception:
        shift.failed(f"the message {delivery.id} could not be sent anew")
        return False
    return True


def _put_off(shift: Shift, delivery: Delivery, later: Later) -> None:
    try:
        shift.queue.put_off(delivery.receipt, later.seconds)
    except Exception:
        shift.failed(f"the message {delivery.id} comes again when its queue says so, not in {later.seconds:.0f} s")
