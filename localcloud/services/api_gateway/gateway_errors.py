"""Errors that the gateway itself answers, by the types under which their answers can be designed."""

from typing import Any

STATUS_OF: dict[str, int | None] = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
"""The types and the status of each; None where it depends."""

DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'


def default_response(kind: str) -> dict[str, Any]:
    """Return how an error is answered unless it is said otherwise."""
    status = STATUS_OF.get(kind)
    answer: dict[str, Any] = {
        "responseType": kind,
        "defaultResponse": True,
        "responseParameters": {},
        "responseTemplates": {"application/json": DEFAULT_TEMPLATE},
    }
    return {**answer, "statusCode": str(status)} if status else answer


class GatewayError(Exception):
    """A request that the gateway answers itself.

    Parameters
    ----------
    kind
        Type of the gateway response.
    message
        What `$context.error.message` says; None where AWS says nothing.
    status
        Status, unless the response is designed with another.
    error_type
        What the header x-amzn-ErrorType says.
    detail
        What `$context.error.validationErrorString` says.
    """

    def __init__(
        self,
        kind: str,
        message: str | None,
        status: int | None = None,
        error_type: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind
        self.message = message
        self.status = status or STATUS_OF.get(kind) or 500
        self.error_type = error_type
        self.detail = detail


def no_route() -> GatewayError:
    """Return the error for a path or method that the API does not have, and for a request that is not signed."""
    return GatewayError(
        "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token", error_type="MissingAuthenticationTokenException"
    )


def forbidden(message: str, kind: str = "ACCESS_DENIED") -> GatewayError:
    """Return the error for a caller who may not."""
    return GatewayError(kind, message, error_type="AccessDeniedException")


def unauthorized() -> GatewayError:
    """Return the error for a caller whom an authorizer does not know."""
    return GatewayError("UNAUTHORIZED", "Unauthorized", error_type="UnauthorizedException")


def no_key() -> GatewayError:
    """Return the error for a key that is missing, unknown, or in no plan of the stage."""
    return GatewayError("INVALID_API_KEY", "Forbidden", error_type="ForbiddenException")


def throttled() -> GatewayError:
    """Return the error for too many requests at a time."""
    return GatewayError("THROTTLED", "Too Many Requests", error_type="TooManyRequestsException")


def over_quota() -> GatewayError:
    """Return the error for too many requests in a day, week or month."""
    return GatewayError("QUOTA_EXCEEDED", "Limit Exceeded", error_type="LimitExceededException")


def broken(status: int = 502, kind: str = "DEFAULT_5XX") -> GatewayError:
    """Return the error for a function that failed, is not there, or answered what is no answer."""
    return GatewayError(kind, "Internal server error", status, error_type="InternalServerErrorException")


def timed_out() -> GatewayError:
    """Return the error for a function that takes too long."""
    return GatewayError("INTEGRATION_TIMEOUT", "Endpoint request timed out", error_type="InternalServerErrorException")


def too_large(message: str) -> GatewayError:
    """Return the error for a body that is too long."""
    return GatewayError("REQUEST_TOO_LARGE", message, error_type="RequestTooLargeException")


def bad_authorizer(kind: str = "AUTHORIZER_CONFIGURATION_ERROR") -> GatewayError:
    """Return the error for an authorizer that failed; AWS gives no message."""
    return GatewayError(kind, None, error_type="AuthorizerConfigurationException")
