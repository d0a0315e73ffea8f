"""Jobs as items of the front doors' table: texts and numbers, so that nobody needs boto3 to write them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lambdas import contract
from lambdas.inference.jobs.job import Job, Status
from lambdas.rollout.stored import read_back

SCHEMA = 1
SORT = "JOB"
_BETWEEN = ","
_LISTS = ("owed", "strewn")
_WHOLE = ("expires", "attempt", "tries", "version")


def partition_prefix(endpoint: str) -> str:
    """Return what the partitions of all of an endpoint's jobs begin with."""
    return f"JOB#{endpoint}#"


def key(endpoint: str, identity: str) -> dict[str, str]:
    """Return the key of a job's item."""
    partition = f"{partition_prefix(endpoint)}{identity}"
    return {contract.TABLE_PARTITION_KEY: partition, contract.TABLE_SORT_KEY: SORT}


def item(job: Job) -> dict[str, Any]:
    """Return a job as it is written."""
    return {
        **key(job.endpoint, job.id),
        **asdict(job),
        "status": job.status.value,
        "owed": _BETWEEN.join(job.owed),
        "strewn": _BETWEEN.join(job.strewn),
        "problem": json.dumps(job.problem) if job.problem is not None else "",
        contract.TABLE_EXPIRY: job.expires,
        "schema": SCHEMA,
    }


def read(written: Mapping[str, Any]) -> Job:
    """Return the job that an item stands for."""
    return read_back(written, f"the job {written.get('id')}", SCHEMA, Job, _job)


def _job(fields: dict[str, Any]) -> Job:
    numbers = {name: int(fields[name]) for name in _WHOLE}
    problem = json.loads(fields["problem"]) if fields["problem"] else None
    lists = {name: tuple(filter(None, fields.get(name, "").split(_BETWEEN))) for name in _LISTS}
    return Job(**{**fields, **numbers, **lists, "status": Status(fields["status"]), "problem": problem})
