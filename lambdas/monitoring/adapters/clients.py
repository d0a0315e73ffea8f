"""boto3 clients of the monitor: it has minutes, so that calls are repeated here, and large answers waited for."""

import functools
from typing import Any

from lambdas.rollout.adapters.clients import Lazy

__all__ = ["Lazy", "client", "lazy"]

_CONNECT, _READ = 2, 10
_ATTEMPTS = 4
"""With the waits between them, a call takes a minute at the most to give up."""


@functools.cache
def client(service: str) -> Any:
    """Return the client of a service, made when first asked for.

    Every call of the monitor may be made twice: it reads, or writes under a name of the window, or conditionally.
    """
    # Importing boto3 takes most of a cold start.
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    config = Config(connect_timeout=_CONNECT, read_timeout=_READ, retries=retries)
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def lazy(service: str) -> Lazy:
    """Return what makes the service's client when it is first needed."""
    return Lazy(service, client)
