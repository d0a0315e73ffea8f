"""boto3 clients, made when first used, with time limits under which any invocation ends in time."""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

from lambdas.rollout.errors import RetryableError

_CONNECT, _READ = 1, 4
_SMOKE_READ = 6
"""A first answer may be slow, of a model or of a hook; it is only begun when there is time for this."""


class TimeLimit:
    """Refuses calls that begin too late for their answer to be waited for; no limit until started."""

    def __init__(self) -> None:
        self._ends = float("inf")

    def start(self, seconds: float) -> None:
        """Allow calls to begin for this long."""
        self._ends = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether it is too late to begin a call."""
        return time.monotonic() > self._ends

    def check(self) -> None:
        """Raise `RetryableError` when it is too late to begin a call."""
        if self.is_over:
            raise RetryableError("this invocation has no time left for another call")


_making = threading.Lock()
time_limit = TimeLimit()
"""A function handles one invocation at a time, so that one limit is enough."""


def client(service: str) -> Any:
    """Return the client of a service."""
    # boto3 makes clients in one thread at a time only.
    with _making:
        return _made(service)


@functools.cache
def _made(service: str) -> Any:
    """Make a client.

    Calls are not repeated here: the engine looks at what is and decides again, which is safer than repeating blindly.
    The table is an exception, for nothing at all can be decided without it, and its writes are conditional; so is
    CloudFormation, which is only asked, by functions that have time, and often refuses to be asked just now; and
    AppConfig, whose versions are only deleted, by the same functions, and many at once.
    """
    attempts = {"dynamodb": 2, "cloudformation": 5, "appconfig": 5}.get(service, 1)
    read = {"sagemaker-runtime": _SMOKE_READ, "lambda": _SMOKE_READ, "dynamodb": 2}.get(service, _READ)
    return make(service, connect=_CONNECT, read=read, attempts=attempts)


def make(service: str, *, connect: int, read: int, attempts: int) -> Any:
    """Make a client.

    Parameters
    ----------
    service
        boto3's name of it.
    connect, read
        Seconds to wait for a connection, and for an answer.
    attempts
        How often a call is made at the most.
    """
    # Importing boto3 takes most of a cold start, and not every function needs it.
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    config = Config(connect_timeout=connect, read_timeout=read, retries=retries)
    return boto3.client(service, config=config)  # type: ignore[call-overload]


class Lazy:
    """A service's client that is made when first called.

    Parameters
    ----------
    service
        boto3's name of it.
    make
        Makes the client.
    """

    def __init__(self, service: str, make: Callable[[str], Any] = client) -> None:
        self._service = service
        self._make = make

    def __call__(self) -> Any:
        """Return the client, if there is time for a call."""
        time_limit.check()
        return self._make(self._service)
