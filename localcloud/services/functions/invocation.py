"""One invocation of a function, and how it ended."""

import json
import threading
import uuid
from dataclasses import dataclass, field

from localcloud.services.functions.qualified import LATEST


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended.

    Parameters
    ----------
    payload
        What the function returned, or the description of its error.
    error
        None, or ``Unhandled`` as Lambda calls every error that reaches it.
    log_tail
        The end of what was logged meanwhile.
    version
        Which version of the function ran.
    """

    payload: bytes
    error: str | None = None
    log_tail: str = ""
    version: str = LATEST

    @classmethod
    def failed(cls, kind: str, message: str) -> "Outcome":
        """Return the outcome of an invocation that the platform ended."""
        return cls(json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled")


@dataclass
class Invocation:
    """An event on its way through a worker."""

    payload: bytes
    function_arn: str
    timeout: float
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    outcome: Outcome | None = None
    started_at: float = 0.0
    ended_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, now: float) -> None:
        """Note that the worker has taken it."""
        self.started_at = now
        self.started.set()

    def end(self, outcome: Outcome, now: float) -> bool:
        """Note how it ended; only the first end counts."""
        with self._lock:
            if self.outcome is not None:
                return False
            self.outcome = outcome
            self.ended_at = now
        self.started.set()
        self.ended.set()
        return True
