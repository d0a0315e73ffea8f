"""Requests that are answered later, by the endpoint or by one of their own."""

from dataclasses import dataclass
from typing import Annotated

from stacks.config.constraints import Between
from stacks.config.instances import InstanceType


@dataclass(frozen=True)
class Asynchronous:
    """An endpoint of their own for jobs, SageMaker Asynchronous Inference, without instances while there are no jobs.

    Parameters
    ----------
    instance_type
        What it runs on; left out, what the endpoint runs on.
    most_instances
        Most of them.
    concurrent
        Requests at once to each; also how many may wait for each before another is started.
    idle_minutes
        How long instances are kept at least before some of them go.
    """

    instance_type: InstanceType | None = None
    most_instances: Annotated[int, Between(1, 100)] = 2
    concurrent: Annotated[int, Between(1, 1000)] = 4
    idle_minutes: Annotated[int, Between(1, 1440)] = 10


@dataclass(frozen=True)
class JobQueue:
    """Requests that are answered later.

    Parameters
    ----------
    attempts
        How often the endpoint is asked before a job fails.
    keep_days
        For how long a job and its answer are kept, and its message, which SQS keeps for 14 days at most.
    at_once
        Most jobs that are worked on at the same time.
    asynchronous
        An endpoint of their own that answers them, with no instance while there are none; left out, the endpoint itself
        is asked.
    """

    attempts: Annotated[int, Between(1, 50)] = 5
    keep_days: Annotated[int, Between(1, 14)] = 7
    at_once: Annotated[int, Between(2, 1000)] = 5
    asynchronous: Asynchronous | None = None
