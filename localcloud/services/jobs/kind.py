"""What jobs have in common, and the form in which each kind says what it is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from localcloud.physics.dockerfile import Dockerfile
from localcloud.physics.times import to_datetime
from localcloud.services.accepted import refuse_others
from localcloud.services.jobs.records import FAILED, STOPPED, Job, Request
from localcloud.services.jobs.run import Run
from localcloud.services.jobs.scratch import Scratch
from localcloud.services.jobs.storage import RoleStorage

HOST = "algo-1"


class JobKind(ABC):
    """One kind of jobs, as the API shows it."""

    label: ClassVar[str]
    """How the API calls it: ``ProcessingJob``."""
    arn_kind: ClassVar[str]
    log_group: ClassVar[str]
    event: ClassVar[str]
    accepted: ClassVar[Mapping[str, Any]]
    spot: ClassVar[bool] = False

    def check(self, request: Request) -> None:
        """Refuse what is not honoured here, or contradicts itself."""
        refuse_others(f"Create{self.label}", request, self.accepted)

    @abstractmethod
    def describe(self, job: Job) -> dict[str, Any]:
        """Return what Describe answers."""

    def summary(self, job: Job) -> dict[str, Any]:
        """Return what List answers."""
        described = self.describe(job)
        names = ("Name", "Arn", "Status")
        kept = (*(self.label + name for name in names), *_COMMON_SUMMARY, f"{self.short}EndTime")
        return {name: described[name] for name in kept if name in described}

    @property
    def short(self) -> str:
        """Return ``Processing``, ``Training`` or ``Transform``, as times are called after."""
        return self.label.removesuffix("Job")

    def described(self, job: Job) -> dict[str, Any]:
        """Return what all kinds answer."""
        answer: dict[str, Any] = {
            **{name: value for name, value in job.request.items() if name != "Tags"},
            f"{self.label}Arn": job.arn,
            f"{self.label}Status": job.status,
            "CreationTime": to_datetime(job.created_at),
            "LastModifiedTime": to_datetime(job.modified_at),
        }
        if job.started_at is not None:
            answer[f"{self.short}StartTime"] = to_datetime(job.started_at)
        if job.ended_at is not None:
            answer[f"{self.short}EndTime"] = to_datetime(job.ended_at)
        if job.failure_reason is not None and job.status in (FAILED, STOPPED):
            answer["FailureReason"] = job.failure_reason
        return answer


class ProgramKind(JobKind):
    """A kind of jobs that run a program between inputs and outputs."""

    @abstractmethod
    def image(self, request: Request) -> str:
        """Return the image's URI."""

    @abstractmethod
    def command(self, dockerfile: Dockerfile, request: Request) -> list[str]:
        """Return the command line that the container runs."""

    @abstractmethod
    def variables(self, job: Job) -> dict[str, str]:
        """Return the environment variables that SageMaker adds."""

    @abstractmethod
    def fetch(self, job: Job, scratch: Scratch, storage: RoleStorage) -> None:
        """Fill /opt/ml: configuration files, inputs, checkpoints."""

    @abstractmethod
    def keep(self, job: Job, scratch: Scratch, storage: RoleStorage) -> None:
        """Store what a run leaves even if it does not end well: checkpoints."""

    @abstractmethod
    def store(self, job: Job, scratch: Scratch, storage: RoleStorage, status: str) -> None:
        """Store the results of a job that ends as `status`."""

    @abstractmethod
    def failure(self, job: Job, scratch: Scratch, run: Run) -> str:
        """Return why a program that exited with another status than 0 failed."""

    @abstractmethod
    def note(self, job: Job, scratch: Scratch) -> None:
        """Take what the program wrote about itself, however it ended."""

    @abstractmethod
    def network_isolated(self, request: Request) -> bool:
        """Whether the container gets no network and no credentials."""


_COMMON_SUMMARY = ("CreationTime", "LastModifiedTime", "FailureReason", "ExitMessage", "SecondaryStatus")
