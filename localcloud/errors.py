"""Errors that the local cloud answers in the form AWS would."""


class AwsError(Exception):
    """An error answer of an AWS API.

    Parameters
    ----------
    code
        Error code as clients see it, such as ``ValidationException``.
    message
        Text for a person; name the field, the value and the way out.
    status
        HTTP status of the answer.
    extra
        Modelled members of the error shape beside the message (``OriginalStatusCode`` of a ``ModelError``).
    """

    def __init__(self, code: str, message: str, status: int = 400, extra: dict[str, object] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra or {}


class NotSimulatedError(AwsError):
    """An API call, resource type or property that AWS has and this local cloud does not: said, never skipped."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "NotSimulated", f"{what} is not simulated by localcloud; docs/local-support.md lists what is", 501
        )
