"""The form in which a part of the local cloud offers the API operations that it owns."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

Handler = Callable[[Mapping[str, Any]], dict[str, Any] | None]


def operation(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a method of a `Service` as the handler of the API operation `name` (``CreateEndpoint``).

    The method takes the request's parameters as boto3 takes them (already validated against the service model) and
    returns the response as boto3 returns it, or raises `localcloud.errors.AwsError`.
    """

    def mark(method: Callable[..., Any]) -> Callable[..., Any]:
        method.__aws_operation__ = name  # type: ignore[attr-defined]
        return method

    return mark


class Service:
    """Base of what owns operations of one AWS service; `name` is botocore's (``sagemaker``, ``cloudwatch``)."""

    name: ClassVar[str]

    def operations(self) -> dict[str, Handler]:
        """Return the owned operations and their handlers."""
        found: dict[str, Handler] = {}
        for attribute in dir(type(self)):
            operation_name = getattr(getattr(type(self), attribute), "__aws_operation__", None)
            if operation_name is not None:
                found[operation_name] = getattr(self, attribute)
        return found
