"""Requests that a new version must answer before it sees any traffic."""

from dataclasses import dataclass

from lambdas.rollout.policy.checks import text, whole

MAX_SMOKE_REQUESTS = 10
MAX_SMOKE_BODY = 2000


@dataclass(frozen=True)
class SmokeTest:
    """Requests that a new version must answer before it sees any traffic.

    Parameters
    ----------
    content_type
        Content type of the body.
    body
        What is sent.
    requests
        How many times it is sent; each must be answered with success.
    """

    content_type: str
    body: str
    requests: int = 3

    def __post_init__(self) -> None:
        text("content_type", self.content_type, 100)
        text("body", self.body, MAX_SMOKE_BODY)
        whole("requests", self.requests, 1, MAX_SMOKE_REQUESTS)
