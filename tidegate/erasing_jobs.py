"""Takes a subject's jobs away: their items, rows and answers, in every version that the bucket keeps."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.exceptions import ClientError

from lambdas import contract
from lambdas.inference.adapters.attributes import written
from lambdas.inference.jobs import items, places
from lambdas.inference.jobs.job import Job
from tidegate import jobs
from tidegate.aws import Aws
from tidegate.bucket_versions import delete_all, versions
from tidegate.settings import EndpointSettings


@dataclass(frozen=True)
class Erased:
    """How many jobs were taken away, and those that could not be because they are just being worked on."""

    jobs: int
    left: tuple[str, ...] = ()


def of_subject(aws: Aws, endpoint: EndpointSettings, subject: str) -> list[Job]:
    """Return a subject's jobs."""
    return list(jobs.all_of(aws, endpoint, subject))


def erase(aws: Aws, endpoint: EndpointSettings, found: list[Job], now: float) -> Erased:
    """Take jobs away that nobody works on; `now` is in epoch seconds."""
    left = tuple(job.id for job in found if not _erase(aws, endpoint, job, now))
    return Erased(len(found) - len(left), left)


def _erase(aws: Aws, endpoint: EndpointSettings, job: Job, now: float) -> bool:
    """Take a job away; return False when somebody works on it, whose answer would be written after it."""
    if job.leased(now):
        return False
    folder = places.folder(endpoint.name, job.id)
    # First what lies in the bucket: whoever is stopped in between finds the job again by its item.
    for place in (folder, *(each.removeprefix(f"s3://{endpoint.artefact_bucket}/") for each in job.strewn)):
        delete_all(aws, endpoint.artefact_bucket, versions(aws, endpoint.artefact_bucket, place))
    return _forget(aws, endpoint, job)


def _forget(aws: Aws, endpoint: EndpointSettings, job: Job) -> bool:
    try:
        aws.dynamodb.delete_item(
            TableName=contract.inference_table(endpoint.environment),
            Key=written(items.key(endpoint.name, job.id)),
            ConditionExpression="attribute_not_exists(#pk) OR #version = :version",
            ExpressionAttributeNames={"#pk": contract.TABLE_PARTITION_KEY, "#version": "version"},
            ExpressionAttributeValues=written({":version": job.version}),
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException":
            return False
        raise
    return True
