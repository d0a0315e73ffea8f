"""How applications call an endpoint: its API, who may call it, and what is answered when the model cannot."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.batches import Batches
from stacks.config.caching import Caching, Network
from stacks.config.callers import Client, SegmentRule, Tokens
from stacks.config.constraints import AtLeastOne, Between, Matching
from stacks.config.job_queue import JobQueue
from stacks.config.monitoring import ColumnName
from stacks.config.readiness import Provisioned

Auth = Literal["api_key", "iam", "jwt"]
Origin = Annotated[str, Matching(r"https://[^\s/?#]+", "an origin: https:// and a host", "https://shop.example.com")]


@dataclass(frozen=True)
class Breaking:
    """When an endpoint that fails is left alone.

    Parameters
    ----------
    failures
        Failures in a row, as one instance of the function sees them,
    open_seconds
        after which it is left alone for so long; then one request tries it.
    """

    failures: Annotated[int, Between(1, 1000)] = 5
    open_seconds: Annotated[int, Between(1, 300)] = 10


@dataclass(frozen=True)
class Streaming:
    """Rows from a Kinesis stream, whose answers go to another.

    Parameters
    ----------
    shards
        Shards of the stream of rows, and of that of answers.
    batch_records
        Most records that the function takes at once,
    window_seconds
        and the time in which they are collected.
    attempts
        How often a record that comes alone is tried before a dead letter says where it is.
    keep_days
        For how long rows and answers can be read.
    """

    shards: Annotated[int, Between(1, 200)] = 1
    batch_records: Annotated[int, Between(1, 10_000)] = 100
    window_seconds: Annotated[int, Between(0, 300)] = 1
    attempts: Annotated[int, Between(1, 1000)] = 10
    keep_days: Annotated[int, Between(1, 365)] = 7


@dataclass(frozen=True)
class Audit:
    """What is written down of every prediction.

    Parameters
    ----------
    keep_input
        Whether rows are kept; else only their hash is.
    keep_output
        Whether answers are kept.
    redacted_columns
        Columns and outputs whose values are left out.
    retention_days
        For how long.
    """

    keep_input: bool = False
    keep_output: bool = True
    redacted_columns: tuple[ColumnName, ...] = ()
    retention_days: Annotated[int, Between(1, 3650)] = 90


@dataclass(frozen=True)
class FrontDoor:
    """The API by which applications call an endpoint.

    Parameters
    ----------
    auth
        How callers show who they are: an API key of a usage plan, IAM's signature, or a token of an issuer.
    clients
        The applications that call.
    tokens
        Whose tokens are taken, with `jwt`.
    requests_per_second
        What all callers together may send in the long run,
    burst
        and at once.
    firewall_requests
        What one address may send in five minutes; clients often have one address for all that they send.
    timeout_seconds
        Longest time that the model may take.
    largest_body_kilobytes
        Largest body of a request,
    most_rows
        and most rows in it.
    memory_megabytes
        Memory of the function, with which Lambda gives it processors.
    provisioned
        How many instances of the function are kept ready; left out, they start when they are needed.
    keep_warm
        Whether one instance is pinged every few minutes, where none is kept ready.
    cache
        For how long the same rows get the same answer; left out, every request reaches the model.
    network
        Where the functions run that use a cache in memory; left out, they run in none of your networks.
    breaker
        When an endpoint that fails is left alone.
    default_answer
        JSON object that is answered for each row when the model does not answer and nothing is cached; left out, that
        is an error.
    sticky
        Whether a caller who is named in Tidegate-Caller keeps to one version while two of them are live.
    segments
        Who is answered by which version while two of them are live.
    switches
        Whether caching, routing, jobs and the API as a whole can be switched off at once, by AppConfig.
    cors_origins
        Origins of web pages that may call it.
    jobs
        Requests that are answered later; left out, there are none.
    stream
        Rows from a Kinesis stream; left out, there is none.
    batch
        Files of rows; left out, there are none.
    audit
        What is written down of every prediction; left out, nothing is.
    """

    auth: Auth
    clients: Annotated[tuple[Client, ...], AtLeastOne()]
    tokens: Tokens | None = None
    requests_per_second: Annotated[int, Between(1, 10_000)] = 100
    burst: Annotated[int, Between(1, 5_000)] = 200
    firewall_requests: Annotated[int, Between(10, 2_000_000_000)] = 60_000
    timeout_seconds: Annotated[int, Between(1, 20)] = 10
    largest_body_kilobytes: Annotated[int, Between(1, 4_096)] = 256
    most_rows: Annotated[int, Between(1, 10_000)] = 1000
    memory_megabytes: Annotated[int, Between(256, 10_240)] = 1024
    provisioned: Provisioned | None = None
    keep_warm: bool = False
    cache: Caching | None = None
    network: Network | None = None
    breaker: Breaking = Breaking()
    default_answer: str | None = None
    sticky: bool = False
    segments: tuple[SegmentRule, ...] = ()
    switches: bool = False
    cors_origins: tuple[Origin, ...] = ()
    jobs: JobQueue | None = None
    stream: Streaming | None = None
    batch: Batches | None = None
    audit: Audit | None = None

    @property
    def routes_callers(self) -> bool:
        """Return whether anybody may be answered by a version that the weights have not chosen."""
        testers = self.tokens is not None or any(client.tester for client in self.clients)
        return self.sticky or bool(self.segments) or testers

    @property
    def serves_batches(self) -> bool:
        """Return whether answers of batches can be asked for by key."""
        return self.batch is not None and self.batch.serve is not None

    @property
    def keeps_in_memory(self) -> bool:
        """Return whether answers are kept in Valkey."""
        return self.cache is not None and self.cache.store == "valkey"
