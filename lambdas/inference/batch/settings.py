"""How an endpoint's batches are run."""

from collections.abc import Sequence
from dataclasses import dataclass

from lambdas.contract import BATCH_PREFIX, CAPTURE_SAMPLING, batch_job_prefix


@dataclass(frozen=True)
class Batch:
    """How an endpoint's batches are run.

    Parameters
    ----------
    instance_type, instances
        What they run on. There are no spot instances for Batch Transform: SageMaker has them for training only.
    input
        Where a scheduled run finds its rows: an S3 URI, or a folder of the artefact bucket, that ends in a slash.
    content_type, accept
        Of the rows and of the answers, a line for each: ``text/csv`` or ``application/jsonlines``.
    payload_megabytes, most_rows, concurrent
        What a request to the container may hold, and how many are sent at once to each instance. Payloads times
        requests must not exceed 100 MB, and no payload may hold more rows than `most_rows`.
    attempts
        How many jobs a run may take: one that fails or is stopped is followed by another, for what is left.
    limit_hours
        How long a run may take in all.
    serve_days
        For how many days answers can be asked for by key; 0 where they cannot be.
    readers
        Clients that may ask for them.
    """

    instance_type: str = "ml.m5.large"
    instances: int = 1
    input: str | None = None
    content_type: str = "text/csv"
    accept: str = "text/csv"
    payload_megabytes: int = 1
    most_rows: int = 100_000
    concurrent: int = 2
    attempts: int = 5
    limit_hours: float = 24.0
    serve_days: int = 0
    readers: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """The batches of one endpoint, and the bucket that they are kept in."""

    endpoint: str
    bucket: str
    batch: Batch

    @property
    def folder(self) -> str:
        """Key prefix of all that the endpoint's runs leave."""
        return f"{BATCH_PREFIX}/{self.endpoint}/"

    def run_folder(self, run: str) -> str:
        """Return the key prefix of what a run leaves."""
        return f"{self.folder}run={run}/"

    def output_folder(self, run: str) -> str:
        """Return the key prefix of a run's answers."""
        return f"{self.run_folder(run)}part=0/"

    def load_folder(self, run: str) -> str:
        """Return the key prefix below which it is said how a run's answers were loaded."""
        return f"{self.run_folder(run)}load/"

    def job(self, run: str, attempt: int) -> str:
        """Return the name of a run's job, by which a second try to create it finds it there."""
        return f"{batch_job_prefix(self.endpoint)}{run}-{attempt}"

    def model(self, run: str) -> str:
        """Return the name of a run's own model."""
        return f"{batch_job_prefix(self.endpoint)}{run}"

    def located(self, place: str) -> str:
        """Return the S3 URI of an input folder."""
        return place if place.startswith("s3://") else f"s3://{self.bucket}/{place}"

    @property
    def environment(self) -> dict[str, str]:
        """What the serving container is told beside what the model says."""
        rows = self.batch.most_rows
        # A batch's rows are no requests of the endpoint's: captured, they would look like drift.
        return {"TIDEGATE_MAX_ROWS": str(rows), CAPTURE_SAMPLING: "0"}
