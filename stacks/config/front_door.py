"""How applications call an endpoint: its API, who may call it, and what is answered when the model cannot."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.caching import Caching, Network
from stacks.config.constraints import AtLeastOne, Between, Matching
from stacks.config.instances import JobInstanceType
from stacks.config.job_queue import JobQueue
from stacks.config.monitoring import ColumnName

Auth = Literal["api_key", "iam", "jwt"]
ClientName = Annotated[
    str,
    Matching(r"[a-z](-?[a-z0-9]){0,31}", "1 to 32 lower-case letters, digits and single hyphens", "shop"),
]
HttpsUrl = Annotated[str, Matching(r"https://[^\s?#]+", "an https:// address", "https://login.example.com/realms/shop")]
Origin = Annotated[str, Matching(r"https://[^\s/?#]+", "an origin: https:// and a host", "https://shop.example.com")]
Attribute = Annotated[str, Matching(r"[A-Za-z_][\w:.-]{0,63}", "the name of an attribute of callers", "tenant")]
Time = Annotated[str, Matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day", '"08:00"')]
TimeZone = Annotated[str, Matching(r"[A-Za-z_]+(/[A-Za-z_+-]+)*", "a time zone", "Europe/Berlin")]
LineFormat = Literal["text/csv", "application/jsonlines"]
Day = Literal["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"]


@dataclass(frozen=True)
class Client:
    """An application that calls.

    Parameters
    ----------
    name
        Its name in logs, in the audit, in segment rules and in its usage plan.
    identity
        What it is known by, besides: with `iam` the ARN of its role or user, with `jwt` the value of the token's client
        claim. With `api_key` it gets a key, which AWS makes.
    requests_per_second
        What it may send in the long run,
    burst
        and at once. Callers known by IAM have no usage plan of their own: for them the API's limits hold.
    monthly_requests
        What it may send in a month; left out, as much as it likes.
    tester
        Whether it may choose the production variant that answers.
    """

    name: ClientName
    identity: Annotated[str, Matching(r"\S{1,256}", "an identity without spaces", "shop-backend")] | None = None
    requests_per_second: Annotated[int, Between(1, 10_000)] = 50
    burst: Annotated[int, Between(1, 5_000)] = 100
    monthly_requests: Annotated[int, Between(1, 2_000_000_000)] | None = None
    tester: bool = False


@dataclass(frozen=True)
class Tokens:
    """Whose tokens are taken: signed with RS256, as Cognito's and most other issuers' are.

    Parameters
    ----------
    issuer
        Who issues them.
    audience
        Whom they must be issued for.
    jwks_url
        Where the issuer publishes its keys; left out, `.well-known/jwks.json` below the issuer.
    client_claim
        Claim that names the client.
    tester_scope
        Scope whose bearer may choose the production variant that answers.
    attributes
        Claims that segment rules ask for.
    """

    issuer: HttpsUrl
    audience: Annotated[str, Matching(r"\S{1,256}", "an audience without spaces", "rain-api")]
    jwks_url: HttpsUrl | None = None
    client_claim: Attribute = "client_id"
    tester_scope: Annotated[str, Matching(r"\S{1,128}", "a scope", "rain/test")] = "tidegate/target-variant"
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True)
class WorkingHours:
    """When more instances of the function are kept ready.

    Parameters
    ----------
    begin
        Time of day from which on,
    end
        and until which.
    days
        Days of the week.
    time_zone
        Whose time that is.
    least
        How many are kept ready then.
    """

    begin: Time
    end: Time
    least: Annotated[int, Between(1, 1000)]
    days: tuple[Day, ...] = ("MON", "TUE", "WED", "THU", "FRI")
    time_zone: TimeZone = "UTC"


@dataclass(frozen=True)
class Provisioned:
    """How many instances of the function are kept ready, so that nobody waits for one to start.

    Parameters
    ----------
    least
        Fewest,
    most
        and most.
    utilisation_percent
        Share of them that is to be busy: with more, more are made ready.
    working_hours
        When the fewest are more; left out, never.
    """

    least: Annotated[int, Between(1, 1000)]
    most: Annotated[int, Between(1, 1000)]
    utilisation_percent: Annotated[int, Between(10, 90)] = 70
    working_hours: WorkingHours | None = None


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
class SegmentRule:
    """Who is answered by which version while two are live; the first rule that holds decides.

    Parameters
    ----------
    attribute
        What is asked for: `client`, `caller`, or an attribute of the caller's token.
    values
        Values for which it holds.
    send
        `live` or `candidate`. Nobody is sent to a candidate whose weight is 0.
    """

    attribute: Attribute
    values: Annotated[tuple[str, ...], AtLeastOne()]
    send: Literal["live", "candidate"]


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
        How often a batch is tried before a dead letter says where its records are.
    keep_days
        For how long rows and answers can be read.
    """

    shards: Annotated[int, Between(1, 200)] = 1
    batch_records: Annotated[int, Between(1, 10_000)] = 100
    window_seconds: Annotated[int, Between(0, 300)] = 1
    attempts: Annotated[int, Between(1, 1000)] = 10
    keep_days: Annotated[int, Between(1, 365)] = 7


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

    instance_type: JobInstanceType = "ml.m5.large"
    instances: Annotated[int, Between(1, 20)] = 1
    schedule_hours: Annotated[int, Between(1, 8760)] | None = None
    content_type: LineFormat = "text/csv"
    accept: LineFormat = "text/csv"
    payload_megabytes: Annotated[int, Between(1, 25)] = 1
    concurrent: Annotated[int, Between(1, 50)] = 2
    attempts: Annotated[int, Between(1, 20)] = 5
    keep_days: Annotated[int, Between(2, 3650)] = 90
    serve: Serving | None = None


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
    def serves_batches(self) -> bool:
        """Return whether answers of batches can be asked for by key."""
        return self.batch is not None and self.batch.serve is not None

    @property
    def keeps_in_memory(self) -> bool:
        """Return whether answers are kept in Valkey."""
        return self.cache is not None and self.cache.store == "valkey"
