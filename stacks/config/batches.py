"""Files of rows that are answered as a whole, and how their answers can be asked for."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.callers import ClientName
from stacks.config.constraints import Between
from stacks.config.instances import TransformInstanceType

LineFormat = Literal["text/csv", "application/jsonlines"]


@dataclass(frozen=True)
class Serving:
    """Answers of batches that can be asked for by key.

    Parameters
    ----------
    keep_days
        For how long, from the run that answered.
    clients
        Which clients may ask: each for the answer under any key. Needed where there is more than one client.
    """

    keep_days: Annotated[int, Between(1, 3650)] = 30
    clients: tuple[ClientName, ...] = ()


@dataclass(frozen=True)
class Batches:
    """Files of rows that are answered as a whole, by Batch Transform; they lie below `batch-input/<endpoint>/`.

    Parameters
    ----------
    instance_type
        What it runs on.
    instances
        How many of them.
    schedule_hours
        Hours after which it runs again; left out, it runs when an operator says so.
    content_type
        What the rows are: a line for each, without a header.
    accept
        What the answers are.
    payload_megabytes
        Size of a request to the container,
    concurrent
        and how many are sent at once to each instance.
    attempts
        How many jobs a run may take: one that fails is followed by another, for what is left.
    keep_days
        For how long answers, and lists of what was answered, are kept.
    serve
        Whether answers can be asked for by key, which stands before each row; left out, they are files only.
    """

    instance_type: TransformInstanceType = "ml.m5.large"
    instances: Annotated[int, Between(1, 20)] = 1
    schedule_hours: Annotated[int, Between(1, 8760)] | None = None
    content_type: LineFormat = "text/csv"
    accept: LineFormat = "text/csv"
    payload_megabytes: Annotated[int, Between(1, 25)] = 1
    concurrent: Annotated[int, Between(1, 50)] = 2
    attempts: Annotated[int, Between(1, 20)] = 5
    keep_days: Annotated[int, Between(2, 3650)] = 90
    serve: Serving | None = None
