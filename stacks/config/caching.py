"""For how long a front door gives answers again, and where they are kept."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.constraints import AtLeastOne, Between, Matching

Vpc = Annotated[str, Matching(r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a VPC", "vpc-0123456789abcdef0")]
Subnet = Annotated[
    str, Matching(r"subnet-([0-9a-f]{8}|[0-9a-f]{17})", "the id of a subnet", "subnet-0123456789abcdef0")
]


@dataclass(frozen=True)
class Caching:
    """For how long the same rows get the same answer; answers of one version are never given as another's.

    Parameters
    ----------
    seconds
        As if the model had answered.
    stale_seconds
        When the endpoint does not answer, with a header that says so. Counted from the answer, as `seconds` is.
    store
        Where answers are kept: in the front doors' DynamoDB table, or in a cache in memory of the endpoint's own
        (ElastiCache Serverless for Valkey), which needs `network` and costs something while nobody asks, too.
    valkey_gigabytes
        Most that a cache in memory holds; what has been asked for least recently makes room.
    valkey_units_per_second
        Most that it works, in ElastiCache processing units; a hit takes one for each kilobyte of the answer.
    """

    seconds: Annotated[int, Between(1, 2_592_000)]
    stale_seconds: Annotated[int, Between(1, 2_592_000)] = 86_400
    store: Literal["dynamodb", "valkey"] = "dynamodb"
    valkey_gigabytes: Annotated[int, Between(1, 5_000)] = 1
    valkey_units_per_second: Annotated[int, Between(1_000, 15_000_000)] = 10_000


@dataclass(frozen=True)
class Network:
    """Where the functions run that use a cache in memory, which nobody reaches from elsewhere.

    Parameters
    ----------
    vpc
        The VPC,
    subnets
        and private subnets of it in at least two availability zones, from which functions reach AWS's services.
    """

    vpc: Vpc
    subnets: Annotated[tuple[Subnet, ...], AtLeastOne()]
