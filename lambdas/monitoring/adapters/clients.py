"""boto3 clients of the monitor: it has minutes, so that calls are repeated here, and large answers waited for."""

import functools
from typing import Any

from lambdas.rollout.adapters.clients import Lazy, make

_CONNECT, _READ = 2, 10
_ATTEMPTS = 4
"""With the waits between them, a call takes a minute at the most to give up."""


@functools.cache
def client(service: str) -> Any:
    """Return the client of a service, made when first asked for.

    Every call of the monitor may be made twice: it reads, or writes under a name of the window, or conditionally.
    """
    return make(service, connect=_CONNECT, read=_READ, attempts=_ATTEMPTS)


def lazy(service: str) -> Lazy:
    """Return what makes the service's client when it is first needed."""
    return Lazy(service, client)
