"""Failures of jobs to ask for."""

import threading
from collections.abc import Callable


class JobFaults:
    """What tests and rehearsals order of jobs.

    Parameters
    ----------
    interrupt
        Takes the instance of a running spot training job away.
    kill
        Kills the model server of a transform job.
    """

    def __init__(self, interrupt: Callable[[str], None], kill: Callable[[str], None]) -> None:
        self._interrupt = interrupt
        self._kill = kill
        self._lock = threading.Lock()
        self._planned: list[tuple[str, str]] = []

    def interrupt_spot_job(self, name: str) -> None:
        """Kill a running spot training job, which starts again from its checkpoints; LookupError if there is none."""
        self._interrupt(name)

    def kill_transform_job(self, name: str) -> None:
        """Kill the model server of a transform job (SIGKILL), of which it fails; LookupError if none runs."""
        self._kill(name)

    def fail_job(self, name_contains: str, reason: str) -> None:
        """Let the next job whose name contains `name_contains` fail before its program runs.

        ``CapacityError: ...`` and ``InternalServerError: ...`` are reasons that pipelines can be told to retry.
        """
        with self._lock:
            self._planned.append((name_contains, reason))

    def planned_failure(self, name: str) -> str | None:
        """Return and forget the reason for which a job is to fail."""
        with self._lock:
            for item in self._planned:
                if item[0] in name:
                    self._planned.remove(item)
                    return item[1]
        return None

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._planned.clear()
