"""The parameters of an execution, from the texts that the API takes to the types that the definition declares."""

from collections.abc import Iterable, Mapping
from typing import Any

from localcloud.errors import AwsError
from localcloud.services.pipelines.definition import Parameter


def bind(declared: Mapping[str, Parameter], given: Iterable[Mapping[str, str]]) -> dict[str, Any]:
    """Return the value of every parameter; raise `AwsError` naming those that are unknown, missing or of no value."""
    values = {item["Name"]: item["Value"] for item in given}
    unknown = sorted(set(values) - set(declared))
    if unknown:
        known = ", ".join(sorted(declared)) or "none"
        raise _invalid(f"Parameters not found in the pipeline definition: {', '.join(unknown)} (there are: {known})")
    missing = sorted(name for name, parameter in declared.items() if name not in values and parameter.default is None)
    if missing:
        raise _invalid(f"Parameters without default value must be given: {', '.join(missing)}")
    return {
        name: _converted(parameter, values[name]) if name in values else parameter.default
        for name, parameter in declared.items()
    }


def _converted(parameter: Parameter, text: str) -> Any:
    try:
        value = _CONVERTERS[parameter.type](text)
    except (ValueError, KeyError) as error:
        raise _invalid(f"{text!r} is no {parameter.type}, which the parameter {parameter.name} is") from error
    if parameter.choices and value not in parameter.choices:
        choices = ", ".join(map(str, parameter.choices))
        raise _invalid(f"{text!r} is not one of the values of the parameter {parameter.name}: {choices}")
    return value


_CONVERTERS: dict[str, Any] = {
    "String": str,
    "Integer": int,
    "Float": float,
    "Boolean": lambda text: {"true": True, "false": False}[text.lower()],
}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
