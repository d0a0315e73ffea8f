"""boto3 clients of the pipeline's last step, which has minutes: calls are repeated, and large copies waited for."""

import functools
from typing import Any

from lambdas.rollout.adapters.clients import Lazy

_CONNECT, _READ, _ATTEMPTS = 2, 60, 4
"""SageMaker gives a Lambda step ten minutes."""


@functools.cache
def client(service: str) -> Any:
    """Return the client of a service, made when first asked for."""
    # Importing boto3 takes most of a cold start.
    import boto3
    from botocore.config import Config

    retries: Any = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    config = Config(connect_timeout=_CONNECT, read_timeout=_READ, retries=retries)
    return boto3.client(service, config=config)  # type: ignore[call-overload]


def lazy(service: str) -> Lazy:
    """Return what makes the service's client when it is first needed."""
    return Lazy(service, client)
