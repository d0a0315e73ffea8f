"""The life of a job: an instance, its data, its program, its results."""

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localcloud.clock import Clock
from localcloud.credentials import Principal
from localcloud.errors import AwsError
from localcloud.physics.container_log import ContainerLog
from localcloud.physics.image_program import image_environment, local_command
from localcloud.physics.images import ImageRegistry
from localcloud.physics.ports import ImageMissingError
from localcloud.physics.process import Program
from localcloud.physics.settings import PhysicsSettings
from localcloud.services.functions.log_shipper import Line, LogShipper
from localcloud.services.jobs.faults import JobFaults
from localcloud.services.jobs.kind import HOST, JobKind
from localcloud.services.jobs.records import (
    COMPLETED,
    FAILED,
    IN_PROGRESS,
    LONGEST_TEXT,
    STOPPED,
    Job,
    JobFailureError,
    Order,
    Request,
    Transition,
)
from localcloud.services.jobs.run import Ending, Limits, Run, run_program
from localcloud.services.jobs.scratch import Scratch
from localcloud.services.jobs.storage import RoleStorage
from localcloud.services.role_access import RoleAccess, RoleSession

_log = logging.getLogger(__name__)
_A_DAY = 86400

Tell = Callable[[JobKind, Job], None]


@dataclass(frozen=True)
class Surroundings:
    """What jobs run in."""

    clock: Clock
    settings: PhysicsSettings
    images: ImageRegistry
    roles: RoleAccess
    logs: LogShipper
    work_dir: Path
    faults: JobFaults
    python: str = sys.executable


class _ClosedError(Exception):
    """The local cloud stops."""


class JobWorker:
    """Runs one job to its end, on the thread that calls `run`.

    Parameters
    ----------
    kind, job
        What to run.
    here
        What it runs in.
    tell
        Called, with no lock held, after every change of status.
    """

    def __init__(self, kind: JobKind, job: Job, here: Surroundings, tell: Tell) -> None:
        self._kind = kind
        self._job = job
        self._here = here
        self._tell = tell
        self._began = time.monotonic()
        folder = here.work_dir / kind.arn_kind / job.name.lower()
        self._scratch = Scratch(folder / "ml")
        self._log_path = folder / "output.log"

    def run(self) -> None:
        """Run the job; whatever goes wrong is its FailureReason."""
        try:
            with self._here.roles.open(self._job.role, f"SageMaker-{self._job.name}"[:64]) as session:
                self._live(session)
        except _ClosedError:
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

    def _live(self, session: RoleSession) -> None:
        storage = RoleStorage(session.client("s3"))
        self._to("Starting", "Preparing the instances for the job")
        self._pause(self._here.settings.job_start_seconds)
        planned = self._here.faults.planned_failure(self._job.name)
        if planned is not None:
            raise JobFailureError(planned)
        run = self._run_until_done(session, storage)
        if run is None:
            self._finish(STOPPED, "Stopped", storage)
        elif run.ending is Ending.EXITED:
            self._exited(run, storage)
        else:
            self._finish(STOPPED, _STOPPED_AS[run.ending], storage)

    def _run_until_done(self, session: RoleSession, storage: RoleStorage) -> Run | None:
        """Run the program, again after every interruption; None if it is stopped before it begins."""
        while not self._stopping():
            self._to("Downloading", "Downloading input data")
            self._kind.fetch(self._job, self._scratch, storage)
            if self._stopping():
                break
            self._to("Training", "The program is running")
            run = run_program(self._program(session), self._log(session), self._job, self._limits())
            self._job.trained_seconds += run.seconds
            if run.ending is Ending.CLOSED:
                raise _ClosedError
            self._kind.keep(self._job, self._scratch, storage)
            if run.ending is not Ending.INTERRUPTED:
                return run
            self._lose_instance()
            if time.monotonic() >= self._limits().waits_until:
                return Run(Ending.WAITED_TOO_LONG, run.status, 0.0)
        return None

    def _lose_instance(self) -> None:
        """Wait for another instance, on whose empty disk the job begins anew with its checkpoints."""
        self._to("Interrupted", "The spot instance was taken away")
        self._scratch.clear()
        left = self._limits().waits_until - time.monotonic()
        self._pause(max(0.0, min(self._here.settings.spot_return_seconds, left)))
        self._to("Starting", "Preparing the instances for the job")

    def _exited(self, run: Run, storage: RoleStorage) -> None:
        self._kind.note(self._job, self._scratch)
        if run.status == 0:
            self._finish(COMPLETED, "Completed", storage)
            return
        reason = self._kind.failure(self._job, self._scratch, run)
        self._kind.store(self._job, self._scratch, storage, FAILED)
        self._fail(reason)

    def _finish(self, status: str, secondary: str, storage: RoleStorage) -> None:
        if status == COMPLETED:
            self._to("Uploading", "Uploading the results")
        else:
            self._kind.note(self._job, self._scratch)
        self._kind.store(self._job, self._scratch, storage, status)
        self._end(status, secondary, None)

    def _fail(self, reason: str) -> None:
        _log.info("job %s failed: %s", self._job.name, reason)
        self._end(FAILED, "Failed", reason[:LONGEST_TEXT])

    def _end(self, status: str, secondary: str, reason: str | None) -> None:
        job = self._job
        with job.lock:
            job.ended_at = self._here.clock.now()
            job.status = status
            job.failure_reason = reason
        self._to(secondary, reason or f"The job is {status.lower()}")

    def _to(self, secondary: str, message: str) -> None:
        """Enter a secondary status; a job that is being stopped shows no other progress."""
        job, now = self._job, self._here.clock.now()
        with job.lock:
            if job.transitions and job.transitions[-1].ended_at is None:
                job.transitions[-1].ended_at = now
            job.secondary = secondary if job.terminal or job.status == IN_PROGRESS else "Stopping"
            job.modified_at = now
            ends = now if job.terminal else None
            job.transitions.append(Transition(job.secondary, message, now, ends))
            if secondary == "Training" and job.started_at is None:
                job.started_at = now
        self._tell(self._kind, job)

    def _pause(self, seconds: float) -> None:
        """Wait; an order ends it, but for an interruption, for which there is nothing to interrupt."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._job.asked.wait(left):
            if not self._job.take_interruption():
                break
        self._stopping()

    def _stopping(self) -> bool:
        if self._job.order is Order.CLOSE:
            raise _ClosedError
        return self._job.order is Order.STOP

    def _limits(self) -> Limits:
        stopping: Request = self._job.request.get("StoppingCondition") or {}
        runs = stopping.get("MaxRuntimeInSeconds", _A_DAY) - self._job.trained_seconds
        waits = stopping.get("MaxWaitTimeInSeconds")
        return Limits(
            time.monotonic() + runs,
            self._began + waits if waits else float("inf"),
            self._here.settings.job_stop_grace_seconds,
        )

    def _program(self, session: RoleSession) -> Program:
        request = self._job.request
        try:
            image = self._here.images.get(self._kind.image(request))
        except ImageMissingError as missing:
            raise JobFailureError(
                f"ClientError: Cannot find the image {missing}: ensure that it is in this account's registry"
            ) from missing
        local = self._scratch.localised
        command = [local(word) for word in self._kind.command(image.dockerfile, request)]
        given = {name: local(value) for name, value in (request.get("Environment") or {}).items()}
        access = {} if self._kind.network_isolated(request) else session.environment()
        platform = {**self._kind.variables(self._job), "SM_ROOT": str(self._scratch.root)}
        environment = {**access, **image_environment(image, given), **platform}
        return Program(local_command(command, self._here.python), image.folder, environment)

    def _log(self, session: RoleSession) -> ContainerLog:
        principal: Principal = session.credentials.principal

        def ship(group: str, stream: str, lines: list[tuple[int, str]]) -> None:
            for at, text in lines:
                self._here.logs.ship(Line(group, stream, at, text, principal))

        stream = f"{self._job.name}/{HOST}-{int(self._job.created_at)}"
        return ContainerLog(self._log_path, self._kind.log_group, stream, ship)


_STOPPED_AS = {
    Ending.STOPPED: "Stopped",
    Ending.OVERRAN: "MaxRuntimeExceeded",
    Ending.WAITED_TOO_LONG: "MaxWaitTimeExceeded",
}
