"""Errors of the control plane under API Gateway's own codes."""

from localcloud.errors import AwsError


def missing(what: str, name: str = "") -> AwsError:
    """Return the error for something that is not there."""
    suffix = f" ({name})" if name else ""
    return AwsError("NotFoundException", f"Invalid {what} identifier specified{suffix}", 404)


def bad_request(message: str) -> AwsError:
    """Return the error for a request that contradicts itself or what exists."""
    return AwsError("BadRequestException", message, 400)


def conflict(message: str) -> AwsError:
    """Return the error for something that exists already."""
    return AwsError("ConflictException", message, 409)
