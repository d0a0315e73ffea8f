"""Stack events, and their way to whoever watches."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from localcloud.deploy.errors import explain
from localcloud.deploy.state import StackEvent, StackState

_log = logging.getLogger(__name__)
STACK_TYPE = "AWS::CloudFormation::Stack"


@dataclass(frozen=True)
class Progress:
    """One thing that happened to a stack or a resource.

    Parameters
    ----------
    stack
        Name of the stack.
    logical_id, type
        The resource; for the stack itself its name and ``AWS::CloudFormation::Stack``.
    status
        As CloudFormation's, such as ``CREATE_IN_PROGRESS``.
    reason
        Why it failed or was skipped.
    physical_id
        What the resource is called in the cloud, once known.
    elapsed
        Seconds since the operation on this resource (or stack) began.
    """

    stack: str
    logical_id: str
    type: str
    status: str
    reason: str = ""
    physical_id: str = ""
    elapsed: float = 0.0


Watch = Callable[[Progress], None]


def harmless(watch: Watch) -> Watch:
    """Return `watch` so that its failures are its own: at the first it is logged and never called again."""
    failed = False

    def tell(progress: Progress) -> None:
        nonlocal failed
        if failed:
            return
        try:
            watch(progress)
        except Exception:  # a client that has gone must not roll back what it asked for
            failed = True
            _log.warning("nobody watches the deployment any longer; it goes on", exc_info=True)

    return tell


class Reporter:
    """Records the events of one stack and passes them on."""

    def __init__(self, stack: StackState, watch: Watch) -> None:
        self._stack = stack
        self._watch = watch
        self._began = time.monotonic()

    def stack(self, status: str, reason: str = "") -> None:
        """Set the stack's status."""
        self._stack.status, self._stack.reason = status, reason
        elapsed = time.monotonic() - self._began
        self.emit(Progress(self._stack.name, self._stack.name, STACK_TYPE, status, reason, self._stack.id, elapsed))

    def emit(self, progress: Progress) -> None:
        """Record `progress` and pass it on."""
        self._stack.events.append(StackEvent(at=time.time(), **vars(progress)))
        self._watch(progress)

    def skipped(self, logical_id: str, kind: str, physical_id: str, reason: str) -> None:
        """Tell that a resource is kept where it would have been deleted."""
        self.emit(Progress(self._stack.name, logical_id, kind, "DELETE_SKIPPED", reason, physical_id))

    @contextmanager
    def resource(self, verb: str, logical_id: str, kind: str) -> Iterator[Callable[[str], None]]:
        """Tell that `verb` (``CREATE``) is in progress, then complete or failed; the yielded function names the id."""
        began = time.monotonic()
        physical = [""]

        def emit(status: str, reason: str = "") -> None:
            elapsed = time.monotonic() - began
            self.emit(Progress(self._stack.name, logical_id, kind, f"{verb}_{status}", reason, physical[0], elapsed))

        emit("IN_PROGRESS")
        try:
            yield lambda physical_id: physical.__setitem__(0, physical_id)
        except Exception as error:
            emit("FAILED", explain(error))
            raise
        emit("COMPLETE")
