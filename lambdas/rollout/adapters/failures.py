"""AWS's errors in the engine's terms."""

from collections.abc import Iterator
from contextlib import contextmanager

from lambdas.rollout.errors import (
    AlreadyExistsError,
    EndpointBusyError,
    MissingError,
    PermanentError,
    RetryableError,
    TidegateError,
    TimedOutError,
)

_THROTTLES = frozenset(
    {
        "ConcurrentUpdateException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_UNDER_WAY = "TransactionInProgressException"
"""DynamoDB's, of a transaction that is sent again while the first is still at it."""

_BUSY = "cannot update in-progress"
_MISSING = ("could not find", "does not exist", "not found", "no scalable target", "no scaling policy")
_EXISTING = ("already exist",)


@contextmanager
def translated() -> Iterator[None]:
    """Raise what botocore raises as one of the engine's errors."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
    from botocore.exceptions import ConnectionError as ConnectingError

    try:
        yield
    except ClientError as error:
        raise _of_answer(error) from error
    except (HTTPClientError, ConnectingError) as error:
        raise TimedOutError(str(error)) from error
    except BotoCoreError as error:
        raise PermanentError(f"{type(error).__name__}: {error}") from error


def code_of(error: Exception) -> str:
    """Return AWS's code of an error answer, empty when it is none."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _of_answer(error: Exception) -> TidegateError:
    response = getattr(error, "response", None) or {}
    code, message = code_of(error), str(response.get("Error", {}).get("Message", ""))
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    text, lowered = f"{code}: {message}", message.lower()
    if _BUSY in lowered:
        return EndpointBusyError(text)
    if code in _THROTTLES:
        return RetryableError(text)
    if code == _UNDER_WAY or (status >= 500 and code != "NotSimulated"):
        return TimedOutError(text)
    if code in ("ObjectNotFoundException", "ResourceNotFound") or _says(lowered, code, _MISSING):
        return MissingError(text)
    return AlreadyExistsError(text) if _says(lowered, code, _EXISTING) else PermanentError(text)


def _says(message: str, code: str, phrases: tuple[str, ...]) -> bool:
    return code == "ValidationException" and any(phrase in message for phrase in phrases)
