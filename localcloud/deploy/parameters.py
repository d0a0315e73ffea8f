"""Values of a template's parameters, the SSM-typed ones and dynamic references among them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from localcloud.deploy.coercion import text
from localcloud.deploy.errors import TemplateError, UnsupportedError

_SSM_TYPE = re.compile(r"AWS::SSM::Parameter::Value<(?P<of>.+)>")
_DYNAMIC = re.compile(r"\{\{resolve:(?P<service>[^:}]+):(?P<reference>[^}]*)\}\}")

ReadParameter = Callable[[str], str]


def ssm_reader(client: Callable[[str], Any]) -> ReadParameter:
    """Return what reads an SSM parameter (``name`` or ``name:version``) through `client`."""

    def read(name: str) -> str:
        try:
            answer = client("ssm").get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            raise TemplateError(f"SSM parameter {name} cannot be read: {error}") from error
        return str(answer["Parameter"]["Value"])

    return read


def parameter_values(
    definitions: Mapping[str, Any], given: Mapping[str, Any], read_ssm: ReadParameter
) -> dict[str, Any]:
    """Return the value of every parameter in `definitions`, from `given` or its default."""
    for name in sorted(set(given) - set(definitions)):
        raise TemplateError(f"parameter {name} is given, but the template has none of that name")
    return {name: _value(name, definition, given, read_ssm) for name, definition in definitions.items()}


def _value(name: str, definition: Mapping[str, Any], given: Mapping[str, Any], read_ssm: ReadParameter) -> Any:
    raw = given.get(name, definition.get("Default"))
    if raw is None:
        raise TemplateError(f"parameter {name} needs a value")
    _check(name, definition, text(raw))
    kind = definition["Type"]
    if found := _SSM_TYPE.fullmatch(kind):
        kind, raw = found["of"], read_ssm(text(raw))
    return text(raw).split(",") if kind == "CommaDelimitedList" or kind.startswith("List<") else text(raw)


def _check(name: str, definition: Mapping[str, Any], value: str) -> None:
    allowed = [text(item) for item in definition.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise TemplateError(f"parameter {name} is {value!r}; allowed are {allowed}")
    pattern = definition.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value):
        raise TemplateError(f"parameter {name} is {value!r}; it must match {pattern}")
    if definition["Type"] == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        raise TemplateError(f"parameter {name} is {value!r}; a number is needed")


def dynamic_references(read_ssm: ReadParameter) -> Callable[[str], str]:
    """Return what replaces ``{{resolve:ssm:name}}`` in a text."""

    def replace(match: re.Match[str]) -> str:
        if match["service"] != "ssm":
            raise UnsupportedError(f"dynamic reference {match[0]} is not handled; handled is ssm")
        return read_ssm(match["reference"])

    return lambda value: _DYNAMIC.sub(replace, value)
