"""What a boto3 error means to the person at the command line."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from tidegate.errors import OperatorError

_UNREACHABLE = (EndpointConnectionError, ConnectTimeoutError, ReadTimeoutError)
_CREDENTIALS = (NoCredentialsError, PartialCredentialsError)
_HINTS = {
    "AccessDenied": "your identity may not do this; ask for the action that the message names",
    "AccessDeniedException": "your identity may not do this; ask for the action that the message names",
    "ExpiredToken": "your session has run out: sign in again (aws sso login)",
    "ExpiredTokenException": "your session has run out: sign in again (aws sso login)",
    "InvalidClientTokenId": "these credentials are unknown there: check AWS_PROFILE and AWS_ENDPOINT_URL",
    "UnrecognizedClientException": "these credentials are unknown there: check AWS_PROFILE and AWS_ENDPOINT_URL",
    "ResourceNotFoundException": "is the environment deployed, and is this its account and region?",
    "ThrottlingException": "AWS asks to slow down: try again in a moment",
}
_PASSING = frozenset(
    {"Throttling", "ThrottlingException", "TooManyRequestsException", "ProvisionedThroughputExceededException"}
)
_FAULTS_FROM = 500


def passes(error: BotoCoreError | ClientError) -> bool:
    """Return whether the same call may well succeed in a moment."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= _FAULTS_FROM or error.response.get("Error", {}).get("Code", "") in _PASSING
    return isinstance(error, (*_UNREACHABLE, ConnectionClosedError))


def explain(error: BotoCoreError | ClientError) -> OperatorError:
    """Return what to tell the person about an error of boto3."""
    if isinstance(error, _CREDENTIALS):
        return OperatorError(str(error), "sign in (aws sso login), or for the local cloud: --env local")
    if isinstance(error, NoRegionError):
        return OperatorError("no AWS region is configured", "export AWS_DEFAULT_REGION=eu-central-1 (or your region)")
    if isinstance(error, _UNREACHABLE):
        return OperatorError(
            str(error), "is AWS_ENDPOINT_URL right? if it is the local cloud's: python -m tidegate local status"
        )
    if isinstance(error, ClientError):
        return OperatorError(str(error), _HINTS.get(error.response.get("Error", {}).get("Code", ""), ""))
    return OperatorError(str(error))


FAILURES = (OperatorError, BotoCoreError, ClientError)
"""What a call to AWS, and what is made of it, fails with."""


def in_words(error: Exception) -> str:
    """Return one of the `FAILURES` as a sentence, with what to do next."""
    told = explain(error) if isinstance(error, BotoCoreError | ClientError) else error
    hint = told.hint if isinstance(told, OperatorError) else ""
    return f"{told}; {hint}" if hint else str(told)
