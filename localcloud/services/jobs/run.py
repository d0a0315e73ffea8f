"""A job's program as a process: until it ends, is stopped, is interrupted, or has had its time."""

import contextlib
import subprocess
import time
from dataclasses import dataclass
from enum import Enum, auto

from localcloud.physics.container_log import ContainerLog
from localcloud.physics.process import Program, kill_group, leashed
from localcloud.services.jobs.records import Job, JobFailureError, Order

_LOOK_SECONDS = 0.05
_LAST_LINES_SECONDS = 5.0


class Ending(Enum):
    """Why a program no longer runs."""

    EXITED = auto()
    STOPPED = auto()
    INTERRUPTED = auto()
    OVERRAN = auto()
    WAITED_TOO_LONG = auto()
    CLOSED = auto()


@dataclass(frozen=True)
class Run:
    """How one run of a program ended."""

    ending: Ending
    status: int
    seconds: float


@dataclass(frozen=True)
class Limits:
    """Moments of the monotonic clock at which a run has had its time, and the grace of those that are stopped."""

    runs_until: float
    waits_until: float
    grace_seconds: float


def run_program(program: Program, log: ContainerLog, job: Job, limits: Limits) -> Run:
    """Run to the end; raise `JobFailureError` when it cannot be started."""
    began = time.monotonic()
    try:
        # The leash holds to the thread that starts it: this one, which stays until the end.
        process = subprocess.Popen(
            leashed(program.command),
            cwd=program.folder,
            env=program.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise JobFailureError(f"AlgorithmError: cannot start {program.command[0]}: {error}") from error
    follower = log.follow(process.stdout) if process.stdout else None
    ending = _watch(process, job, limits)
    _end(process, ending, job, limits.grace_seconds)
    if follower is not None:
        follower.join(_LAST_LINES_SECONDS)
    return Run(ending, process.returncode, time.monotonic() - began)


def _watch(process: subprocess.Popen[bytes], job: Job, limits: Limits) -> Ending:
    while process.poll() is None:
        if job.asked.wait(_LOOK_SECONDS):
            return _obeyed(job)
        now = time.monotonic()
        if now >= limits.runs_until:
            return Ending.OVERRAN
        if now >= limits.waits_until:
            return Ending.WAITED_TOO_LONG
    return Ending.EXITED


def _obeyed(job: Job) -> Ending:
    if job.take_interruption():
        return Ending.INTERRUPTED
    return Ending.CLOSED if job.order is Order.CLOSE else Ending.STOPPED


def _end(process: subprocess.Popen[bytes], ending: Ending, job: Job, grace_seconds: float) -> None:
    """End what still runs: with grace, but for an instance that is taken away and a cloud that stops."""
    if process.poll() is None and ending not in (Ending.INTERRUPTED, Ending.CLOSED):
        process.terminate()
        until = time.monotonic() + grace_seconds
        while process.poll() is None and time.monotonic() < until and job.order is not Order.CLOSE:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
    kill_group(process)
    process.wait()
