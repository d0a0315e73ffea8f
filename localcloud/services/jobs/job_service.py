"""SageMaker's API for processing, training and transform jobs."""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar

from localcloud.errors import AwsError
from localcloud.physics.listing import listing
from localcloud.physics.ports import EventSink
from localcloud.service import Service, operation
from localcloud.services.jobs.faults import JobFaults
from localcloud.services.jobs.kind import JobKind
from localcloud.services.jobs.life import JobLife, Surroundings
from localcloud.services.jobs.processing import ProcessingKind
from localcloud.services.jobs.records import STOPPING, Job, Order, Request
from localcloud.services.jobs.training import TrainingKind
from localcloud.services.jobs.transform import TransformKind
from localcloud.services.jobs.transform_worker import TransformWorker
from localcloud.services.jobs.worker import JobWorker

MOST_JOBS = 20
"""Jobs of a kind that run at a time; more are a ResourceLimitExceeded."""
_SECONDS_TO_CLOSE = 5.0


class JobService(Service):
    """Processing, training and transform jobs.

    Parameters
    ----------
    make_surroundings
        Returns what jobs run in, given their faults.
    account, region
        For ARNs.
    emit
        EventBridge.
    tags
        Keeps tags of SageMaker's resources, by ARN.
    """

    name: ClassVar[str] = "sagemaker"

    def __init__(
        self,
        make_surroundings: Callable[[JobFaults], Surroundings],
        account: str,
        region: str,
        emit: EventSink,
        tags: dict[str, dict[str, str]],
    ) -> None:
        self.faults = JobFaults(self._interrupt, self._kill)
        self._here = make_surroundings(self.faults)
        self._prefix = f"arn:aws:sagemaker:{region}:{account}:"
        self._emit = emit
        self._tags = tags
        self._lock = threading.Lock()
        self._told: dict[str, str] = {}
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._processing, self._training = ProcessingKind(), TrainingKind()
        self._transform = TransformKind(self._here.model)
        kinds = (self._processing, self._training, self._transform)
        self._jobs: dict[str, dict[str, Job]] = {kind.label: {} for kind in kinds}

    @operation("CreateProcessingJob")
    def create_processing_job(self, request: Request) -> dict[str, Any]:
        """Begin to run a processing job."""
        return {"ProcessingJobArn": self._create(self._processing, request).arn}

    @operation("DescribeProcessingJob")
    def describe_processing_job(self, request: Request) -> dict[str, Any]:
        """Describe a processing job."""
        return self._describe(self._processing, request["ProcessingJobName"])

    @operation("ListProcessingJobs")
    def list_processing_jobs(self, request: Request) -> dict[str, Any]:
        """List processing jobs."""
        return self._list(self._processing, "ProcessingJobSummaries", request)

    @operation("StopProcessingJob")
    def stop_processing_job(self, request: Request) -> None:
        """Begin to stop a processing job."""
        self._stop(self._processing, request["ProcessingJobName"])

    @operation("CreateTrainingJob")
    def create_training_job(self, request: Request) -> dict[str, Any]:
        """Begin to run a training job."""
        return {"TrainingJobArn": self._create(self._training, request).arn}

    @operation("DescribeTrainingJob")
    def describe_training_job(self, request: Request) -> dict[str, Any]:
        """Describe a training job."""
        return self._describe(self._training, request["TrainingJobName"])

    @operation("ListTrainingJobs")
    def list_training_jobs(self, request: Request) -> dict[str, Any]:
        """List training jobs."""
        return self._list(self._training, "TrainingJobSummaries", request)

    @operation("StopTrainingJob")
    def stop_training_job(self, request: Request) -> None:
        """Begin to stop a training job."""
        self._stop(self._training, request["TrainingJobName"])

    @operation("CreateTransformJob")
    def create_transform_job(self, request: Request) -> dict[str, Any]:
        """Begin to run a batch transform."""
        return {"TransformJobArn": self._create(self._transform, request).arn}

    @operation("DescribeTransformJob")
    def describe_transform_job(self, request: Request) -> dict[str, Any]:
        """Describe a batch transform."""
        return self._describe(self._transform, request["TransformJobName"])

    @operation("ListTransformJobs")
    def list_transform_jobs(self, request: Request) -> dict[str, Any]:
        """List batch transforms."""
        return self._list(self._transform, "TransformJobSummaries", request)

    @operation("StopTransformJob")
    def stop_transform_job(self, request: Request) -> None:
        """Begin to stop a batch transform."""
        self._stop(self._transform, request["TransformJobName"])

    def wait(self, label: str, name: str, seconds: float) -> bool:
        """Wait for the end of a job (of a kind such as ``ProcessingJob``), and return whether it came."""
        return self._jobs[label][name.lower()].ended.wait(seconds)

    def server(self, name: str) -> int | None:
        """Return the process id of a transform job's model server while it has one."""
        return self._jobs[self._transform.label][name.lower()].server

    def running(self) -> list[str]:
        """Return the names of the jobs that have not ended."""
        with self._lock:
            return [job.name for jobs in self._jobs.values() for job in jobs.values() if not job.terminal]

    def close(self) -> None:
        """Kill what runs, and wait for it a little."""
        with self._lock:
            self._closed = True
            jobs = [job for jobs in self._jobs.values() for job in jobs.values()]
            threads = list(self._threads)
        for job in jobs:
            job.ask(Order.CLOSE)
        for thread in threads:
            thread.join(_SECONDS_TO_CLOSE)

    def _create(self, kind: JobKind, request: Request) -> Job:
        kind.check(request)
        name = request[f"{kind.label}Name"]
        now = self._here.clock.now()
        job = Job(name, f"{self._prefix}{kind.arn_kind}/{name.lower()}", request, now, now)
        self._admit(kind, job)
        worker = self._worker(kind, job)
        thread = threading.Thread(target=worker.run, name=f"{kind.arn_kind} {name}", daemon=True)
        with self._lock:
            self._threads = [each for each in self._threads if each.is_alive()]
            self._threads.append(thread)
            thread.start()
        return job

    def _worker(self, kind: JobKind, job: Job) -> JobLife:
        if kind is self._transform:
            return TransformWorker(self._transform, job, self._here, self._tell)
        return JobWorker(self._processing if kind is self._processing else self._training, job, self._here, self._tell)

    def _admit(self, kind: JobKind, job: Job) -> None:
        with self._lock:
            jobs = self._jobs[kind.label]
            if self._closed:
                raise AwsError("ServiceUnavailable", "the local cloud is stopping", 503)
            if job.name.lower() in jobs:
                raise AwsError("ResourceInUse", f"Job name must be unique within an AWS account and region: {job.arn}")
            if sum(not each.terminal for each in jobs.values()) >= MOST_JOBS:
                message = f"The limit of {MOST_JOBS} {kind.arn_kind}s at a time is reached; wait until one has ended"
                raise AwsError("ResourceLimitExceeded", message)
            jobs[job.name.lower()] = job
            self._tags[job.arn] = {tag["Key"]: tag["Value"] for tag in job.request.get("Tags") or []}

    def _find(self, kind: JobKind, name: str) -> Job:
        """Return a job by its name, in any case: ARNs, from which names are often taken, are in lower case."""
        with self._lock:
            job = self._jobs[kind.label].get(name.lower())
        if job is None:
            raise AwsError("ValidationException", f"Requested resource not found: {kind.arn_kind} {name}")
        return job

    def _describe(self, kind: JobKind, name: str) -> dict[str, Any]:
        job = self._find(kind, name)
        with job.lock:
            return kind.describe(job)

    def _list(self, kind: JobKind, key: str, request: Request) -> dict[str, Any]:
        with self._lock:
            jobs = list(self._jobs[kind.label].values())
        return listing(key, jobs, request, kind.summary)

    def _stop(self, kind: JobKind, name: str) -> None:
        job = self._find(kind, name)
        with job.lock:
            if job.terminal:
                message = f"The request was rejected because the {kind.arn_kind} {name} is in status {job.status}."
                raise AwsError("ValidationException", message)
            if job.status == STOPPING:
                return
            job.status, job.secondary = STOPPING, "Stopping"
            job.modified_at = self._here.clock.now()
            job.ask(Order.STOP)
        self._tell(kind, job)

    def _interrupt(self, name: str) -> None:
        job = self._jobs[self._training.label].get(name.lower())
        if job is None or job.terminal or not job.request.get("EnableManagedSpotTraining"):
            raise LookupError(f"no spot training job {name!r} is running; running are {self.running()}")
        job.ask(Order.INTERRUPT)

    def _kill(self, name: str) -> None:
        job = self._jobs[self._transform.label].get(name.lower())
        if job is None or job.server is None:
            raise LookupError(f"no transform job {name!r} has a model server; running are {self.running()}")
        with suppress(ProcessLookupError):
            os.killpg(job.server, signal.SIGKILL)

    def _tell(self, kind: JobKind, job: Job) -> None:
        """Send an event; processing jobs have no secondary statuses, so only changes of the status count."""
        with job.lock:
            state = job.status if not kind.spot else f"{job.status}/{job.secondary}/{len(job.transitions)}"
            if self._told.get(job.arn) == state:
                return
            self._told[job.arn] = state
            detail = {**kind.describe(job), "Tags": dict(self._tags.get(job.arn, {}))}
        self._emit("aws.sagemaker", kind.event, _in_events(detail), [job.arn])


def _in_events(value: Any) -> Any:
    """Return a description as events carry it, in which times are epoch milliseconds."""
    if isinstance(value, dict):
        return {key: _in_events(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_in_events(item) for item in value]
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
