"""Reads the JSON form of a policy's parts back into their types.

What a text or a number may be is not looked at here: the types check themselves when they are made.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from lambdas.rollout.policy.checks import PolicyError

T = TypeVar("T")


def read(kind: type[T], data: object, path: str = "", *, lenient: bool = False) -> T:
    """Return `data` as a dataclass that checks itself.

    Parameters
    ----------
    kind
        The dataclass.
    data
        Its JSON form.
    path
        Names it in errors.
    lenient
        Whether to leave out fields that this version of the code does not know, instead of refusing them.

    Raises
    ------
    PolicyError
        When a field is missing, unknown or out of bounds.
    """
    hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable
    if not isinstance(data, Mapping):
        way_out = "write each on a line of its own, indented"
        raise PolicyError(path or "policy", data, f"it must be a mapping with {', '.join(hints)}", way_out)
    if not lenient:
        _refuse_unknown(hints, data, path)
    _refuse_missing(kind, data, path)
    given = {name: _value(hints[name], data[name], _join(path, name), lenient) for name in hints if name in data}
    try:
        return kind(**given)
    except PolicyError as error:
        raise error.under(path) from None


def plain(value: Any) -> Any:
    """Return the JSON form that `read` reads; what was left out is left out again."""
    if is_dataclass(value):
        given = {field.name: getattr(value, field.name) for field in fields(value)}
        return {name: plain(each) for name, each in given.items() if each is not None and each != ()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def as_written(value: Any) -> Any:
    """Return the JSON form without what stands at its default, as somebody would have written it."""
    if is_dataclass(value):
        given = {field.name: getattr(value, field.name) for field in fields(value) if not _at_default(field, value)}
        return {name: as_written(each) for name, each in given.items()}
    return [as_written(each) for each in value] if isinstance(value, list | tuple) else value


def _at_default(field: "Field[Any]", value: Any) -> bool:
    return bool(getattr(value, field.name) == field.default)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _refuse_unknown(hints: Mapping[str, Any], data: Mapping[Any, Any], path: str) -> None:
    for key in data:
        if key not in hints:
            allowed = f"the fields of {path or 'policy'} are {', '.join(hints)}"
            raise PolicyError(_join(path, str(key)), data[key], allowed, f"remove {key}:")


def _refuse_missing(kind: Any, data: Mapping[Any, Any], path: str) -> None:
    for field in fields(kind):
        if field.default is MISSING and field.name not in data:
            raise PolicyError(_join(path, field.name), None, "it is required", f"add {field.name}:")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _value(wanted: Any, value: Any, path: str, lenient: bool) -> Any:
    if get_origin(wanted) in (Union, UnionType):
        (wanted,) = [each for each in get_args(wanted) if each is not NoneType]
        if value is None:
            return None
    if is_dataclass(wanted):
        # Any: a type that is a dataclass.
        kind: Any = wanted
        return read(kind, value, path, lenient=lenient)
    if get_origin(wanted) is tuple:
        return _values(get_args(wanted)[0], value, path, lenient)
    return value


def _values(inner: Any, value: Any, path: str, lenient: bool) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise PolicyError(path, value, "it must be a list", "begin each entry with a hyphen")
    return tuple(_value(inner, each, f"{path}[{index}]", lenient) for index, each in enumerate(value))
