"""boto3 clients of the pipeline's last step, which has minutes: calls are repeated, and large copies waited for."""

import functools
from typing import Any

from lambdas.rollout.adapters.clients import Lazy, make

_CONNECT, _READ, _ATTEMPTS = 2, 60, 4
"""SageMaker gives a Lambda step ten minutes."""


@functools.cache
def client(service: str) -> Any:
    """Return the client of a service, made when first asked for."""
    return make(service, connect=_CONNECT, read=_READ, attempts=_ATTEMPTS)


def lazy(service: str) -> Lazy:
    """Return what makes the service's client when it is first needed."""
    return Lazy(service, client)
