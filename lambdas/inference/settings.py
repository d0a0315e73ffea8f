"""How an endpoint's front door behaves, as the templates render it into its functions' environment.

It is an environment variable and no parameter, so that a cold start asks nobody for it, and so that changed settings
are a new version of the function, which takes over by its alias.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from lambdas.contract import ENV_FRONT_DOOR
from lambdas.inference.batch.settings import Batch
from lambdas.rollout.errors import PermanentError

Auth = Literal["iam", "api_key", "jwt"]


@dataclass(frozen=True)
class Client:
    """Somebody who calls.

    Parameters
    ----------
    name
        Name in logs, in the audit and in segment rules.
    tester
        Whether it may choose the production variant that answers.
    """

    name: str
    tester: bool = False


@dataclass(frozen=True)
class Jwt:
    """Whose tokens are taken.

    Parameters
    ----------
    issuer, audience
        What `iss` and `aud` (or `client_id`, where an access token has no `aud`, as Cognito's) must be.
    jwks_url
        Where the issuer publishes its keys.
    client_claim
        Claim that names the client.
    tester_scope
        Scope that lets the bearer choose the production variant.
    attributes
        Claims that segment rules may ask for.
    """

    issuer: str
    audience: str
    jwks_url: str
    client_claim: str = "client_id"
    tester_scope: str = "tidegate/target-variant"
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Valkey:
    """The ElastiCache Serverless cache that answers are kept in.

    Parameters
    ----------
    host, port
        Where it is.
    name
        What it is called, which is what a token to connect is signed for.
    user
        In whose name the function connects.
    """

    host: str
    port: int
    name: str
    user: str


@dataclass(frozen=True)
class Cache:
    """For how long an answer is given again.

    Parameters
    ----------
    seconds
        As if the model had answered.
    stale_seconds
        When the endpoint does not answer, and with a header that says so; counted from the answer, as `seconds` is.
    valkey
        Where answers are kept; None for the front doors' table.
    """

    seconds: int
    stale_seconds: int
    valkey: Valkey | None = None


@dataclass(frozen=True)
class Breaker:
    """When the endpoint is not asked any more.

    Parameters
    ----------
    failures
        Failures in a row after which it is left alone,
    open_seconds
        for so long; then one request tries it.
    """

    failures: int = 5
    open_seconds: float = 10.0


@dataclass(frozen=True)
class Segment:
    """A rule that sends some callers to one version while two of them are live.

    Parameters
    ----------
    attribute
        What is asked for: `client`, `caller`, or an attribute of the caller's token.
    values
        The values for which the rule holds.
    send
        The version that answers them.
    """

    attribute: str
    values: frozenset[str]
    send: Literal["live", "candidate"]


@dataclass(frozen=True)
class Flags:
    """The AppConfig profile that can switch parts of the front door off, by the identifiers of its parts."""

    application: str
    environment: str
    profile: str


@dataclass(frozen=True)
class Audit:
    """What is written down of a prediction.

    Parameters
    ----------
    keep_input
        Whether rows are kept; else only their hash is.
    keep_output
        Whether answers are kept.
    redacted
        Columns and outputs whose values are left out.
    """

    keep_input: bool = False
    keep_output: bool = True
    redacted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Asynchronous:
    """The endpoint of their own that answers jobs, SageMaker Asynchronous Inference.

    Parameters
    ----------
    most_instances
        Most of them; without jobs there are none.
    concurrent
        Requests at once to each, and the backlog that each is meant to have.
    idle_minutes
        For how long instances are kept after the last change of their number.
    instance_type
        What they are; None for that of the live version.
    """

    most_instances: int = 2
    concurrent: int = 4
    idle_minutes: int = 10
    instance_type: str | None = None


@dataclass(frozen=True)
class Jobs:
    """How asynchronous jobs are worked on.

    Parameters
    ----------
    attempts
        How often the endpoint is asked before a job fails.
    keep_days
        For how long a job and its answer are kept.
    asynchronous
        The endpoint of their own that answers them; None where the real-time one does.
    """

    attempts: int = 5
    keep_days: int = 7
    asynchronous: Asynchronous | None = None

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Jobs":
        """Read them."""
        own = fields.get("asynchronous")
        return cls(**{**fields, "asynchronous": Asynchronous(**own) if own is not None else None})


@dataclass(frozen=True)
class FrontDoor:
    """How an endpoint's front door behaves.

    Parameters
    ----------
    endpoint
        SageMaker name of the endpoint.
    auth
        How callers show who they are.
    clients
        Callers by what shows who they are: the id of their API key, the ARN of their role or user, the value of the
        client claim of their token.
    timeout_seconds
        Longest time that the model may take.
    largest_body_bytes, most_rows
        Most that a request may hold.
    sticky
        Whether a caller keeps to one version while two of them are live.
    segments
        Rules of which the first that holds chooses the version.
    jwt, cache, flags, audit, jobs, batch
        None where that is switched off.
    cors_origins
        Origins of pages that may read answers.
    default_answer
        What is answered when the endpoint does not, for each row; None for an error.
    """

    endpoint: str
    auth: Auth
    clients: Mapping[str, Client]
    timeout_seconds: float = 10.0
    largest_body_bytes: int = 262_144
    most_rows: int = 1000
    sticky: bool = False
    segments: tuple[Segment, ...] = ()
    breaker: Breaker = Breaker()
    jwt: Jwt | None = None
    cache: Cache | None = None
    flags: Flags | None = None
    audit: Audit | None = None
    jobs: Jobs | None = None
    batch: Batch | None = None
    default_answer: Mapping[str, Any] | None = None
    cors_origins: frozenset[str] = frozenset()

    @classmethod
    def read(cls, text: str) -> "FrontDoor":
        """Read the settings from JSON.

        Raises
        ------
        PermanentError
            When they cannot be read; deploying the environment again puts them right.
        """
        try:
            return cls._of(json.loads(text))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise PermanentError(
                f"the variable {ENV_FRONT_DOOR} cannot be read ({type(error).__name__}: {error}); deploy the "
                "environment again"
            ) from error

    @classmethod
    def _of(cls, fields: Mapping[str, Any]) -> "FrontDoor":
        jwt, cache, audit = (fields.get(name) for name in ("jwt", "cache", "audit"))
        read = {
            **fields,
            "clients": {key: Client(**client) for key, client in fields["clients"].items()},
            "segments": tuple(Segment(**{**rule, "values": frozenset(rule["values"])}) for rule in fields["segments"]),
            "breaker": Breaker(**fields["breaker"]),
            "cors_origins": frozenset(fields.get("cors_origins", ())),
            "jwt": jwt and Jwt(**{**jwt, "attributes": tuple(jwt["attributes"])}),
            "cache": cache and _cache(cache),
            "audit": audit and Audit(**{**audit, "redacted": frozenset(audit["redacted"])}),
        }
        if fields.get("jobs"):
            read["jobs"] = Jobs.of(fields["jobs"])
        kinds = {"flags": Flags, "batch": Batch}
        return cls(**read | {name: kind(**fields[name]) for name, kind in kinds.items() if fields.get(name)})


def _cache(fields: Mapping[str, Any]) -> Cache:
    valkey = fields.get("valkey")
    # CloudFormation gives the port as text.
    return Cache(**{**fields, "valkey": valkey and Valkey(**{**valkey, "port": int(valkey["port"])})})


@cache
def front_door() -> FrontDoor:
    """Return the settings of the function that this is; read once."""
    return FrontDoor.read(os.environ[ENV_FRONT_DOOR])
