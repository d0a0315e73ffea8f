"""The course of an execution: what is ready runs, what fails ends it."""

import logging
import threading
import time
from collections.abc import Callable

from localcloud.clock import Clock
from localcloud.services.jobs.job_service import JobService
from localcloud.services.pipelines.definition import Step
from localcloud.services.pipelines.events import PipelineEvents
from localcloud.services.pipelines.order import waits_for
from localcloud.services.pipelines.records import (
    ENDED,
    EXECUTING,
    FAILED,
    STARTING,
    STOPPED,
    STOPPING,
    SUCCEEDED,
    Execution,
    StepRun,
)
from localcloud.services.pipelines.retries import DEFAULT_POLICY, RetryPolicy
from localcloud.services.pipelines.step_runner import StepFailedError, StepRunner, StepStoppedError
from localcloud.services.role_access import RoleAccess

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0
_LONGEST_REASON = 1024
STEP_FAILURE = "Step failure: One or multiple steps failed."


class Executor:
    """Drives one execution, on the thread that calls `run`; steps have threads of their own.

    Parameters
    ----------
    execution
        What to drive.
    roles
        Opens the session of the pipeline's role.
    jobs
        Where jobs run.
    clock
        Time.
    events
        Is told of every change.
    closed
        Set when the local cloud stops.
    """

    def __init__(
        self,
        execution: Execution,
        roles: RoleAccess,
        jobs: JobService,
        clock: Clock,
        events: PipelineEvents,
        closed: threading.Event,
    ) -> None:
        self._execution = execution
        self._roles = roles
        self._jobs = jobs
        self._clock = clock
        self._events = events
        self._closed = closed
        self._waits_for = waits_for(execution.definition)

    def run(self) -> None:
        """Run the execution to its end."""
        execution = self._execution
        self._events.execution(execution, None)
        try:
            with self._roles.open(execution.role, f"SageMaker-{execution.execution_id}") as session:
                runner = StepRunner(execution, session, self._jobs, self._clock, self._closed, self._show)
                self._drive(runner)
            self._conclude(None)
        except Exception as error:
            _log.exception("execution %s failed in the local cloud itself", execution.arn)
            self._conclude(f"InternalServerError: localcloud: {error!r}")

    def _drive(self, runner: StepRunner) -> None:
        """Begin steps until none is running and none is ready."""
        execution = self._execution
        while not self._closed.is_set():
            with execution.changed:
                begun = [self._begin(step) for step in self._ready()]
                running = any(run.status not in ENDED for run in execution.steps.values())
            for run in begun:
                self._events.step(execution, run, None)
                name = f"step {run.step.name} of {execution.execution_id}"
                threading.Thread(target=self._run_step, args=(runner, run), name=name, daemon=True).start()
            if not running:
                return
            with execution.changed:
                if any(run.status not in ENDED for run in execution.steps.values()) and not self._ready():
                    execution.changed.wait(_LOOK_SECONDS)

    def _ready(self) -> list[Step]:
        execution = self._execution
        runs = execution.steps
        if execution.stopping.is_set() or any(run.status == FAILED for run in runs.values()):
            return []
        free = execution.most_parallel - sum(run.status not in ENDED for run in runs.values())
        waiting = [step for step in execution.definition.steps.values() if step.name not in runs]
        return [step for step in waiting if self._may_run(step)][: max(free, 0)]

    def _may_run(self, step: Step) -> bool:
        return self._chosen(step) is True and all(self._settled(name) for name in self._waits_for[step.name])

    def _settled(self, name: str) -> bool:
        """Whether nobody need wait for a step: it has succeeded, or stands in a branch that is not taken."""
        run = self._execution.steps.get(name)
        if run is not None:
            return run.status == SUCCEEDED
        return self._chosen(self._execution.definition.steps[name]) is False

    def _chosen(self, step: Step) -> bool | None:
        """Whether the conditions around a step let it run; None if that is not known yet."""
        if step.branch is None:
            return True
        name, outcome = step.branch
        around = self._chosen(self._execution.definition.steps[name])
        if around is not True:
            return around
        run = self._execution.steps.get(name)
        if run is None or run.status != SUCCEEDED:
            return None
        return bool(run.properties["Outcome"] == str(outcome))

    def _begin(self, step: Step) -> StepRun:
        run = StepRun(step, STARTING, self._clock.now())
        self._execution.steps[step.name] = run
        return run

    def _run_step(self, runner: StepRunner, run: StepRun) -> None:
        try:
            self._attempt(runner, run)
            self._end(run, SUCCEEDED, None)
        except StepStoppedError:
            self._end(run, STOPPED, None)
        except StepFailedError as failure:
            self._end(run, FAILED, failure.reason)
        except Exception as error:
            _log.exception("step %s failed in the local cloud itself", run.step.name)
            self._end(run, FAILED, f"InternalServerError: localcloud: {error!r}")

    def _attempt(self, runner: StepRunner, run: StepRun) -> None:
        """Run a step, again as often as its retry policies say."""
        began, retries = time.monotonic(), dict[RetryPolicy, int]()
        while True:
            try:
                runner.run(run)
                return
            except StepFailedError as failure:
                policy = _policy_for(run.step, failure.kind)
                tried = retries.get(policy, 0) if policy else 0
                pause = policy.pause(tried, time.monotonic() - began) if policy else None
                if policy is None or pause is None:
                    raise
                retries[policy] = tried + 1
                _log.info("step %s is tried again in %g s: %s", run.step.name, pause, failure.reason)
            if self._execution.stopping.wait(pause) or self._closed.is_set():
                raise StepStoppedError
            run.attempt += 1

    def _show(self, run: StepRun, status: str) -> None:
        """Put down a step's status, and tell of it if it is another."""
        with self._execution.changed:
            before, run.status = run.status, status
            self._execution.modified_at = self._clock.now()
        if before != status:
            self._events.step(self._execution, run, before)

    def _end(self, run: StepRun, status: str, reason: str | None) -> None:
        if self._closed.is_set():
            status, reason = STOPPED, None
        run.ended_at = self._clock.now()
        run.failure_reason = reason[:_LONGEST_REASON] if reason else None
        self._show(run, status)
        with self._execution.changed:
            self._execution.changed.notify_all()

    def _conclude(self, reason: str | None) -> None:
        """Set the execution's last status; one that ends with the local cloud tells nobody."""
        if self._closed.is_set():
            return
        execution = self._execution
        with execution.changed:
            failed = reason is not None or any(run.status == FAILED for run in execution.steps.values())
            before = execution.status
            execution.status = FAILED if failed else STOPPED if execution.stopping.is_set() else SUCCEEDED
            if failed:
                execution.failure_reason = reason or STEP_FAILURE
            execution.ended_at = execution.modified_at = self._clock.now()
        self._events.execution(execution, before)


def stop(execution: Execution, now: Callable[[], float], events: PipelineEvents) -> bool:
    """Begin to stop an execution; return whether it was executing."""
    with execution.changed:
        if execution.status != EXECUTING:
            return execution.status == STOPPING
        execution.status = STOPPING
        execution.modified_at = now()
        execution.stopping.set()
        execution.changed.notify_all()
    events.execution(execution, EXECUTING)
    return True


def _policy_for(step: Step, kind: str | None) -> RetryPolicy | None:
    policies = (*step.retries, DEFAULT_POLICY)
    return next((policy for policy in policies if kind in policy.exceptions), None)
