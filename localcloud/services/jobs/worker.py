"""The life of a processing or training job: an instance, its data, its program, its results."""

import time

from localcloud.physics.image_program import image_environment, local_command
from localcloud.physics.ports import ImageMissingError
from localcloud.physics.process import Program
from localcloud.services.jobs.kind import ProgramKind
from localcloud.services.jobs.life import TRAINING, ClosedError, JobLife, Surroundings, Tell
from localcloud.services.jobs.records import COMPLETED, FAILED, STOPPED, Job, JobFailureError, Request
from localcloud.services.jobs.run import Ending, Limits, Run, run_program
from localcloud.services.jobs.storage import RoleStorage
from localcloud.services.role_access import RoleSession

_A_DAY = 86400


class JobWorker(JobLife):
    """Runs one processing or training job; see `JobLife`."""

    def __init__(self, kind: ProgramKind, job: Job, here: Surroundings, tell: Tell) -> None:
        super().__init__(kind, job, job.role, here, tell)
        self._kind = kind
        self._began = time.monotonic()

    def _live(self, session: RoleSession) -> None:
        storage = RoleStorage(session.client("s3"))
        self._prepare()
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
            self._to(TRAINING, "The program is running")
            run = run_program(self._program(session), self._log(session), self._job, self._limits())
            self._job.trained_seconds += run.seconds
            if run.ending is Ending.CLOSED:
                raise ClosedError
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


_STOPPED_AS = {
    Ending.STOPPED: "Stopped",
    Ending.OVERRAN: "MaxRuntimeExceeded",
    Ending.WAITED_TOO_LONG: "MaxWaitTimeExceeded",
}
