"""The queue of an asynchronous endpoint."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TTL_SECONDS = 21_600
_TIMEOUT_SECONDS = 900
"""What SageMaker assumes of a request that says nothing: the service model of InvokeEndpointAsync."""


@dataclass(eq=False)
class QueuedRequest:
    """A request that was accepted."""

    asked: Mapping[str, Any]
    inference_id: str
    received_at: float
    output_location: str
    failure_location: str | None
    attempts: int = 0
    not_before: float = 0.0

    @property
    def expires_at(self) -> float:
        """When it has waited too long."""
        return self.received_at + float(self.asked.get("RequestTTLSeconds") or _TTL_SECONDS)

    @property
    def timeout(self) -> float:
        """How long the container may take."""
        return float(self.asked.get("InvocationTimeoutSeconds") or _TIMEOUT_SECONDS)


@dataclass
class Backlog:
    """Requests that wait, oldest first, and those that are being worked on; whoever looks holds the hosting lock."""

    waiting: deque[QueuedRequest] = field(default_factory=deque)
    under_way: list[QueuedRequest] = field(default_factory=list)

    def size(self) -> int:
        """Return how many are not answered yet."""
        return len(self.waiting) + len(self.under_way)

    def oldest(self) -> float | None:
        """Return when the oldest was received."""
        return min((each.received_at for each in (*self.waiting, *self.under_way)), default=None)

    def take_expired(self, now: float) -> list[QueuedRequest]:
        """Remove, and return, what has waited too long."""
        expired = [each for each in self.waiting if now >= each.expires_at]
        for each in expired:
            self.begin(each)
        return expired

    def next(self, now: float) -> QueuedRequest | None:
        """Return the first that may be tried."""
        return next((each for each in self.waiting if now >= each.not_before), None)

    def begin(self, request: QueuedRequest) -> None:
        """Count a request that waited as being worked on."""
        self.waiting.remove(request)
        self.under_way.append(request)

    def end(self, request: QueuedRequest) -> None:
        """Forget a request that is answered."""
        self.under_way.remove(request)

    def put_back(self, request: QueuedRequest, not_before: float) -> None:
        """Put a request back in front, to be tried again."""
        self.end(request)
        request.not_before = not_before
        self.waiting.appendleft(request)
