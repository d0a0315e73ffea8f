"""Takes a subject's rows out of an endpoint's audit, and makes sure that they are gone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from lambdas.contract import AUDIT_ERRORS_PREFIX
from tidegate.answers import Pace
from tidegate.aws import Aws
from tidegate.bucket_versions import Version, delete_all, versions
from tidegate.erasing_job import ErasingJob, Machine, Report, audit_folder
from tidegate.errors import OperatorError
from tidegate.health_checks import only_checks
from tidegate.settings import EndpointSettings


@dataclass(frozen=True)
class Audit:
    """An endpoint's audit: its files, what was overwritten, and the files of predictions that could not be filed."""

    files: tuple[Version, ...]
    overwritten: tuple[Version, ...]
    not_filed: int

    @property
    def size(self) -> int:
        """Bytes of its files."""
        return sum(each.size for each in self.files)


def look(aws: Aws, endpoint: EndpointSettings) -> Audit:
    """Return what there is of an endpoint's audit."""
    found = list(versions(aws, endpoint.artefact_bucket, audit_folder(endpoint)))
    errors = versions(aws, endpoint.artefact_bucket, f"{AUDIT_ERRORS_PREFIX}/{endpoint.name}/")
    failed = (each for each in errors if not each.marks)
    return Audit(
        tuple(each for each in found if each.latest and not each.marks),
        tuple(each for each in found if not each.latest),
        sum(not only_checks(aws, endpoint.artefact_bucket, each) for each in failed),
    )


def erase(
    aws: Aws,
    endpoint: EndpointSettings,
    machine: Machine,
    subject: str,
    size: int,
    tick: Callable[[str, float], None],
    pace: Pace,
) -> tuple[str, Report]:
    """Run the job that takes the subject's rows out, make sure of what it did, and return its name and report.

    Raises
    ------
    OperatorError
        When it fails, or a file is not what the job has written.
    """
    job = ErasingJob(aws, endpoint, pace)
    report = job.run(machine, subject, size, tick)
    _verify(aws, endpoint, report)
    return job.name, report


def purge(aws: Aws, endpoint: EndpointSettings) -> int:
    """Delete every file that was overwritten for good, and return how many.

    Not only those of this run: one that was stopped may have left some, and nothing but an erasure overwrites a file of
    the audit.
    """
    return delete_all(aws, endpoint.artefact_bucket, look(aws, endpoint).overwritten)


def _verify(aws: Aws, endpoint: EndpointSettings, report: Report) -> None:
    """Compare what lies in the bucket with what the job wrote, and has read again: there, no row is the subject's."""
    for name, digest in (report.changed or {}).items():
        key = f"{audit_folder(endpoint)}{name}"
        content = aws.s3.get_object(Bucket=endpoint.artefact_bucket, Key=key)["Body"].read()
        if hashlib.sha256(content).hexdigest() != digest:
            raise OperatorError(
                f"s3://{endpoint.artefact_bucket}/{key} is not what the job has written without the subject's rows",
                "give the command again; it begins from what lies there",
            )
