"""Jobs as records: what was asked for, how far they are, and what somebody wants of them meanwhile."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

IN_PROGRESS = "InProgress"
COMPLETED = "Completed"
FAILED = "Failed"
STOPPING = "Stopping"
STOPPED = "Stopped"
TERMINAL = frozenset({COMPLETED, FAILED, STOPPED})
LONGEST_TEXT = 1024

Request = Mapping[str, Any]


class JobFailureError(Exception):
    """The job fails; the text is its FailureReason."""


class Order(Enum):
    """What somebody wants of a running job, the stronger ones last."""

    INTERRUPT = 1
    STOP = 2
    CLOSE = 3


@dataclass
class Transition:
    """One secondary status of a training job."""

    status: str
    message: str
    started_at: float
    ended_at: float | None = None


@dataclass
class Job:
    """One job; its worker changes it, under its lock, and nobody else but for orders."""

    name: str
    arn: str
    request: Request
    created_at: float
    modified_at: float
    status: str = IN_PROGRESS
    secondary: str = "Starting"
    started_at: float | None = None
    ended_at: float | None = None
    trained_seconds: float = 0.0
    failure_reason: str | None = None
    exit_message: str | None = None
    transitions: list[Transition] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    ended: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    order: Order | None = None
    server: int | None = None
    """Process id of a transform job's model server while there is one."""

    @property
    def role(self) -> str:
        """ARN of the role that it runs under."""
        return str(self.request["RoleArn"])

    @property
    def terminal(self) -> bool:
        """Whether nothing changes any more."""
        return self.status in TERMINAL

    def ask(self, order: Order) -> None:
        """Leave an order for the worker; a weaker one does not replace a stronger."""
        with self.lock:
            if self.order is None or order.value > self.order.value:
                self.order = order
            self.asked.set()

    def take_interruption(self) -> bool:
        """Return whether the only order is to interrupt, and take it as carried out."""
        with self.lock:
            if self.order is not Order.INTERRUPT:
                return False
            self.order = None
            self.asked.clear()
            return True
