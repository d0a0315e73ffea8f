"""Which parameters of a request are honoured; whatever else would change behaviour is refused by its name."""

from collections.abc import Mapping
from typing import Any

from localcloud.errors import NotSimulatedError

ANY: Any = object()
"""Every value is honoured, or has no effect that a limit does not declare."""


class OneOf:
    """Only these values are honoured."""

    def __init__(self, *values: Any) -> None:
        self.values = values


def refuse_others(operation: str, request: Mapping[str, Any], accepted: Mapping[str, Any]) -> None:
    """Raise `NotSimulatedError` naming the first parameter, or value, that is not honoured here.

    Parameters
    ----------
    operation
        API operation, for the message.
    request
        Its parameters.
    accepted
        What is honoured, in the request's own form: a mapping by parameter, a list of one element for lists, `ANY`,
        or `OneOf`. A parameter that asks for nothing (false, 0, empty) is always accepted.
    """
    _check(request, accepted, operation)


def _check(value: Any, accepted: Any, where: str) -> None:
    if accepted is ANY:
        return
    if isinstance(accepted, OneOf):
        if value not in accepted.values:
            raise NotSimulatedError(f"{where} {value!r} (here only {', '.join(map(repr, accepted.values))})")
    elif isinstance(accepted, list):
        for index, item in enumerate(value):
            _check(item, accepted[0], f"{where}[{index}]")
    else:
        _check_members(value, accepted, where)


def _check_members(value: Mapping[str, Any], accepted: Mapping[str, Any], where: str) -> None:
    for name, item in value.items():
        if name in accepted:
            _check(item, accepted[name], f"{where}.{name}")
        elif _asks_for_something(item):
            raise NotSimulatedError(f"the parameter {where}.{name}")


def _asks_for_something(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_asks_for_something(item) for item in value.values())
    return bool(value)
