"""An environment with a front door of each kind: callers bring keys, signatures of IAM, and tokens."""

from dataclasses import replace

from stacks.config import Environment
from stacks.config.batches import Batches, Serving
from stacks.config.caching import Caching
from stacks.config.callers import Client, Tokens
from stacks.config.front_door import FrontDoor
from stacks.config.job_queue import JobQueue
from tests.scenarios import environments

KEYED, SIGNED, TOKENED = "keyed", "signed", "tokened"
"""The endpoints, in the environment's file."""

KILOBYTES = 128
ROWS = 20
SLOW_BURST = 3
MONTHLY = 2
ROLE = "tidegate-shop"
AUDIENCE = "rain-api"
SCOPE = "rain/test"

_RATE, _BURST = 10_000, 5_000
"""More than a test sends."""


def opened(account_role: str, issuer: str) -> Environment:
    """Return the environment.

    Parameters
    ----------
    account_role
        ARN of the role of the client that signs.
    issuer
        Who issues tokens; the file would have to say https.
    """
    local = environments.in_one_step(environments.quick())
    (rain,) = local.endpoints
    doors = {KEYED: _keyed(), SIGNED: _signed(account_role), TOKENED: _tokened(issuer)}
    endpoints = tuple(replace(rain, name=name, front_door=door) for name, door in doors.items())
    return replace(local, endpoints=endpoints)


def _keyed() -> FrontDoor:
    return FrontDoor(
        auth="api_key",
        clients=(
            Client("shop", requests_per_second=_RATE, burst=_BURST),
            Client("lab", tester=True, requests_per_second=_RATE, burst=_BURST),
            Client("slow", requests_per_second=1, burst=SLOW_BURST),
            Client("poor", monthly_requests=MONTHLY),
        ),
        largest_body_kilobytes=KILOBYTES,
        most_rows=ROWS,
        cache=Caching(seconds=600),
        switches=True,
        jobs=JobQueue(attempts=2, keep_days=1),
        batch=Batches(serve=Serving(clients=("shop", "lab"))),
        requests_per_second=_RATE,
        burst=_BURST,
    )


def _signed(account_role: str) -> FrontDoor:
    return FrontDoor(
        auth="iam",
        clients=(Client("shop", identity=account_role, tester=True),),
        requests_per_second=_RATE,
        burst=_BURST,
    )


def _tokened(issuer: str) -> FrontDoor:
    return FrontDoor(
        auth="jwt",
        clients=(
            Client("shop", identity="shop-backend", requests_per_second=_RATE, burst=_BURST),
            Client("slow", identity="slow-backend", requests_per_second=1, burst=SLOW_BURST),
        ),
        tokens=Tokens(issuer=issuer, audience=AUDIENCE, tester_scope=SCOPE),
        requests_per_second=_RATE,
        burst=_BURST,
    )
