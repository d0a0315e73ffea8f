"""Template values in the types of the API's model, as CloudFormation makes them: from ``"true"``, ``"1"``, ``5``."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.deploy.errors import UnsupportedError

_TRUTH = {"true": True, "false": False}


def coerce(shape: Any, value: Any, where: str) -> Any:
    """Return `value` in the types of botocore's `shape`.

    Parameters
    ----------
    shape
        A shape of a botocore service model.
    value
        A resolved template value.
    where
        What to call the value in an error, such as ``CreateQueue.Attributes``.

    Raises
    ------
    UnsupportedError
        A member that the shape does not have, or a value that is not of its kind.
    """
    convert = _CONVERTERS.get(shape.type_name)
    return value if convert is None else convert(shape, value, where)


def _structure(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise UnsupportedError(f"{where}: an object is needed, not {value!r}")
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        raise UnsupportedError(f"{where}: property {', '.join(unknown)} is not handled")
    return {key: coerce(shape.members[key], member, f"{where}.{key}") for key, member in value.items()}


def _list(shape: Any, value: Any, where: str) -> Any:
    # CloudFormation takes a single value where a list is asked for.
    values = value if isinstance(value, list | tuple) else [value]
    return [coerce(shape.member, member, f"{where}[{index}]") for index, member in enumerate(values)]


def _map(shape: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise UnsupportedError(f"{where}: an object is needed, not {value!r}")
    return {str(key): coerce(shape.value, member, f"{where}.{key}") for key, member in value.items()}


def _boolean(_shape: Any, value: Any, where: str) -> Any:
    if isinstance(value, bool):
        return value
    try:
        return _TRUTH[str(value).lower()]
    except KeyError:
        raise UnsupportedError(f"{where}: {value!r} is not a boolean") from None


def _number(kind: type[int] | type[float]) -> Callable[[Any, Any, str], Any]:
    def convert(_shape: Any, value: Any, where: str) -> Any:
        if type(value) is kind:
            return value
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise UnsupportedError(f"{where}: {value!r} is not a number") from None
        if kind is int and not number.is_integer():
            raise UnsupportedError(f"{where}: {value!r} is not an integer")
        return kind(number)

    return convert


def _string(_shape: Any, value: Any, where: str) -> Any:
    if isinstance(value, Mapping | list):
        raise UnsupportedError(f"{where}: a string is needed, not {value!r}")
    return text(value)


def text(value: Any) -> str:
    """Return a scalar as CloudFormation writes it: ``true``, not ``True``; ``5``, not ``5.0``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


_CONVERTERS: dict[str, Callable[[Any, Any, str], Any]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "boolean": _boolean,
    "integer": _number(int),
    "long": _number(int),
    "float": _number(float),
    "double": _number(float),
    "string": _string,
}
