"""What the lives of all jobs have in common: a role, statuses, orders, and a reason when it goes wrong."""

import logging
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcloud.clock import Clock
from localcloud.credentials import Principal
from localcloud.errors import AwsError
from localcloud.physics.container_log import ContainerLog
from localcloud.physics.images import ImageRegistry
from localcloud.physics.records import Model
from localcloud.physics.settings import PhysicsSettings
from localcloud.services.functions.log_shipper import Line, LogShipper
from localcloud.services.jobs.faults import JobFaults
from localcloud.services.jobs.kind import HOST, JobKind
from localcloud.services.jobs.records import (
    FAILED,
    IN_PROGRESS,
    LONGEST_TEXT,
    Job,
    JobFailureError,
    Order,
    Transition,
)
from localcloud.services.jobs.scratch import Scratch
from localcloud.services.role_access import RoleAccess, RoleSession

_log = logging.getLogger(__name__)
TRAINING, TRANSFORMING = "Training", "Transforming"

Tell = Callable[[JobKind, Job], None]


@dataclass(frozen=True)
class Surroundings:
    """What jobs run in; `model` finds a model by its name."""

    clock: Clock
    settings: PhysicsSettings
    images: ImageRegistry
    roles: RoleAccess
    logs: LogShipper
    work_dir: Path
    faults: JobFaults
    model: Callable[[str], Model]
    python: str = sys.executable


class ClosedError(Exception):
    """The local cloud stops."""


class JobLife(ABC):
    """One job from its start to its end, on the thread that calls `run`.

    Parameters
    ----------
    kind, job
        What to run.
    role
        Whose rights it has.
    here
        What it runs in.
    tell
        Called, with no lock held, after every change of status.
    """

    def __init__(self, kind: JobKind, job: Job, role: str, here: Surroundings, tell: Tell) -> None:
        self._job = job
        self._here = here
        self._about = kind
        self._role = role
        self._tell = tell
        folder = here.work_dir / kind.arn_kind / job.name.lower()
        self._scratch = Scratch(folder / "ml")
        self._log_path = folder / "output.log"

    def run(self) -> None:
        """Run the job; whatever goes wrong is its FailureReason."""
        try:
            with self._here.roles.open(self._role, f"SageMaker-{self._job.name}"[:64]) as session:
                self._live(session)
        except ClosedError:
            _log.info("job %s ends with the local cloud", self._job.name)
        except JobFailureError as failure:
            self._fail(str(failure))
        except AwsError as error:
            self._fail(f"ClientError: {error.message}")
        except Exception as error:
            _log.exception("job %s failed in the local cloud itself", self._job.name)
            self._fail(f"InternalServerError: localcloud: {error!r}")
        finally:
            self._scratch.clear()
            self._job.ended.set()

    @abstractmethod
    def _live(self, session: RoleSession) -> None:
        """Do what the job is for, and end it."""

    def _prepare(self) -> None:
        """Get an instance; the one moment at which a planned failure strikes."""
        self._to("Starting", "Preparing the instances for the job")
        self._pause(self._here.settings.job_start_seconds)
        planned = self._here.faults.planned_failure(self._job.name)
        if planned is not None:
            raise JobFailureError(planned)

    def _fail(self, reason: str) -> None:
        _log.info("job %s failed: %s", self._job.name, reason)
        self._end(FAILED, "Failed", reason[:LONGEST_TEXT])

    def _end(self, status: str, secondary: str, reason: str | None) -> None:
        job, now = self._job, self._here.clock.now()
        with job.lock:  # whoever looks sees all of its end, or nothing
            job.ended_at = now
            job.status = status
            job.failure_reason = reason
            self._enter(secondary, reason or f"The job is {status.lower()}", now)
        self._tell(self._about, job)

    def _to(self, secondary: str, message: str) -> None:
        job, now = self._job, self._here.clock.now()
        with job.lock:
            self._enter(secondary, message, now)
        self._tell(self._about, job)

    def _enter(self, secondary: str, message: str, now: float) -> None:
        """Enter a secondary status; a job that is being stopped shows no other progress. Needs the job's lock."""
        job = self._job
        if job.transitions and job.transitions[-1].ended_at is None:
            job.transitions[-1].ended_at = now
        job.secondary = secondary if job.terminal or job.status == IN_PROGRESS else "Stopping"
        job.modified_at = now
        job.transitions.append(Transition(job.secondary, message, now, now if job.terminal else None))
        if secondary in (TRAINING, TRANSFORMING) and job.started_at is None:
            job.started_at = now

    def _pause(self, seconds: float) -> None:
        """Wait; an order ends it, but for an interruption, for which there is nothing to interrupt."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._job.asked.wait(left):
            if not self._job.take_interruption():
                break
        self._stopping()

    def _stopping(self) -> bool:
        if self._job.order is Order.CLOSE:
            raise ClosedError
        return self._job.order is Order.STOP

    def _log(self, session: RoleSession) -> ContainerLog:
        principal: Principal = session.credentials.principal

        def ship(group: str, stream: str, lines: list[tuple[int, str]]) -> None:
            for at, text in lines:
                self._here.logs.ship(Line(group, stream, at, text, principal))

        stream = f"{self._job.name}/{HOST}-{int(self._job.created_at)}"
        return ContainerLog(self._log_path, self._about.log_group, stream, ship)
