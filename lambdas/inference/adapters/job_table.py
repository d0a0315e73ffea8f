"""Jobs in the front doors' table.

Needs dynamodb:GetItem and dynamodb:PutItem on the front doors' table (`TIDEGATE_INFERENCE_TABLE`), for partitions that
begin with ``JOB#<endpoint>#``, with kms:Decrypt and kms:GenerateDataKey where that has a key of its own.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lambdas import contract
from lambdas.inference.adapters.attributes import plain, written
from lambdas.inference.adapters.clients import Lazy
from lambdas.inference.adapters.conflicts import conflicts
from lambdas.inference.jobs import items
from lambdas.inference.jobs.job import Job
from lambdas.rollout.adapters.failures import translated

_CONNECT, _READ = 1.0, 2.0
_NEW = "attribute_not_exists(#pk) OR #expires <= :now"
_UNCHANGED = "#version = :version"


class DynamoJobs:
    """Implements `lambdas.inference.jobs.ports.Store`.

    Parameters
    ----------
    client
        Returns DynamoDB's client.
    """

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or Lazy("dynamodb", connect=_CONNECT, read=_READ)

    def load(self, endpoint: str, identity: str) -> Job | None:
        """Return a job as it is now; None where there is none (any more)."""
        key = written(items.key(endpoint, identity))
        with translated():
            answer = self._client().get_item(TableName=_table(), Key=key, ConsistentRead=True)
        return items.read(plain(answer["Item"])) if "Item" in answer else None

    def create(self, job: Job, now: float) -> None:
        """Write a new job; raise `ConflictError` where there is one under its id that has not expired."""
        names = {"#pk": contract.TABLE_PARTITION_KEY, "#expires": contract.TABLE_EXPIRY}
        self._put(job, _NEW, names, {":now": int(now)})

    def save(self, job: Job) -> Job:
        """Write a job and return it as written; raise `ConflictError` where it has changed since it was read."""
        saved = replace(job, version=job.version + 1)
        self._put(saved, _UNCHANGED, {"#version": "version"}, {":version": job.version})
        return saved

    def _put(self, job: Job, condition: str, names: Mapping[str, str], values: Mapping[str, Any]) -> None:
        with translated(), conflicts("the job"):
            self._client().put_item(
                TableName=_table(),
                Item=written(items.item(job)),
                ConditionExpression=condition,
                ExpressionAttributeNames=dict(names),
                ExpressionAttributeValues=written(values),
            )


def _table() -> str:
    return os.environ[contract.ENV_INFERENCE_TABLE]
