"""Who may call a front door, how they are known, and who is answered by which version."""

from dataclasses import dataclass
from typing import Annotated, Literal

from stacks.config.constraints import AtLeastOne, Between, Matching

ClientName = Annotated[
    str,
    Matching(r"[a-z](-?[a-z0-9]){0,31}", "1 to 32 lower-case letters, digits and single hyphens", "shop"),
]
HttpsUrl = Annotated[str, Matching(r"https://[^\s?#]+", "an https:// address", "https://login.example.com/realms/shop")]
Attribute = Annotated[str, Matching(r"[A-Za-z_][\w:.-]{0,63}", "the name of an attribute of callers", "tenant")]


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
