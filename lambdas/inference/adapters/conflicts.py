"""Writes that DynamoDB refuses because of their condition."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambdas.rollout.adapters.failures import code_of
from lambdas.rollout.errors import ConflictError


@contextmanager
def conflicts(what: str) -> Iterator[None]:
    """Raise `ConflictError` where a condition was not met; `what` has changed since it was read."""
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code_of(error) == "ConditionalCheckFailedException":
            raise ConflictError(f"{what} has changed since it was read") from error
        raise
