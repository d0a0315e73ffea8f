"""What reads for functions, and what a kind of event source must offer for it."""

from collections.abc import Mapping
from typing import Any, Protocol

from localcloud.errors import AwsError, NotSimulatedError
from localcloud.services.functions.function import Function

Params = Mapping[str, Any]


class Source(Protocol):
    """What polls for one mapping."""

    last_result: str

    def stop(self) -> None:
        """Stop polling; batches under way end."""

    def join(self, timeout: float) -> None:
        """Wait for the poller's end."""


class SourceKind(Protocol):
    """A kind of event source."""

    parameters: tuple[str, ...]
    """What a mapping keeps of its request."""

    defaults: dict[str, Any]
    """What a mapping has that does not say otherwise."""

    def check(self, params: Params, function: Function, arn: str) -> None:
        """Raise an error for what Lambda refuses, and for what has no effect here."""

    def start(self, mapping: Params) -> Source:
        """Begin to poll for a mapping."""

    def forget(self, mapping: Params) -> None:
        """Drop what is remembered of a mapping that is deleted."""


def refuse_parameters(params: Params, names: tuple[str, ...]) -> None:
    """Raise an error naming the first parameter that is given and has no effect here."""
    for name in names:
        if params.get(name):
            raise NotSimulatedError(f"event source mapping parameter {name}")


def invalid(message: str) -> AwsError:
    """Return the error by which Lambda refuses a mapping."""
    return AwsError("InvalidParameterValueException", message)
