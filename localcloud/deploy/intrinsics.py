"""Intrinsic functions of a template, resolved against what has been created so far."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from localcloud.deploy.coercion import text
from localcloud.deploy.conditions import Conditions
from localcloud.deploy.errors import TemplateError, UnsupportedError

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class _NoValue:
    def __repr__(self) -> str:
        return "AWS::NoValue"


NO_VALUE = _NoValue()
"""What ``Ref: AWS::NoValue`` gives: the property is left out."""


class Resources(Protocol):
    """The resources a template's references point at."""

    def ref(self, logical_id: str) -> Any:
        """Return what ``Ref`` gives for the resource."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """Return what ``Fn::GetAtt`` gives for the resource."""


@dataclass
class Resolver:
    """Resolves the values of one template.

    Parameters
    ----------
    parameters
        Values of the template's parameters and of the pseudo parameters (``AWS::Region``).
    mappings
        The template's ``Mappings``.
    conditions
        Its conditions.
    resources
        Where references to resources are looked up.
    import_value
        Gives the value of an export, ``Fn::ImportValue``.
    dynamic
        Gives the value of a dynamic reference, text with ``{{resolve:...}}`` in it.
    zones
        Availability zones of a region.
    """

    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Conditions
    resources: Resources
    import_value: Callable[[str], Any]
    dynamic: Callable[[str], str]
    zones: Callable[[str], list[str]] = lambda region: [f"{region}{letter}" for letter in "abc"]
    _functions: dict[str, Callable[[Any], Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._functions = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::ImportValue": lambda argument: self.import_value(self._text(argument)),
            "Fn::Base64": lambda argument: base64.b64encode(self._text(argument).encode()).decode(),
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAZs": lambda argument: self.zones(self._text(argument) or self.parameters["AWS::Region"]),
            "Fn::ToJsonString": lambda argument: json.dumps(self.resolve(argument), separators=(",", ":")),
            "Fn::Length": lambda argument: len(self.resolve(argument)),
        }

    def resolve(self, value: Any) -> Any:
        """Return `value` with its functions and dynamic references replaced by what they give."""
        if isinstance(value, Mapping):
            return self._resolve_mapping(value)
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if isinstance(value, str) and "{{resolve:" in value:
            return self.dynamic(value)
        return value

    def _resolve_mapping(self, value: Mapping[str, Any]) -> Any:
        if name := function_of(value):
            result = self._call(name, value[name])
            return self.dynamic(result) if isinstance(result, str) and "{{resolve:" in result else result
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        if name not in self._functions:
            raise UnsupportedError(f"function {name} is not handled")
        try:
            return self._functions[name](argument)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise TemplateError(f"{name} cannot work with {argument!r}: {error}") from error

    def _text(self, value: Any) -> str:
        return text(self.resolve(value))

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self.parameters[name] if name in self.parameters else self.resources.ref(name)

    def _get_att(self, argument: Any) -> Any:
        logical_id, name = attribute_of(argument)
        return self.resources.attribute(logical_id, self._text(name))

    def _sub(self, argument: Any) -> str:
        template, own = (argument, {}) if isinstance(argument, str) else argument

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            return "${" + name + "}" if literal else self._substitute(name.strip(), own)

        return _PLACEHOLDER.sub(replace, template)

    def _substitute(self, name: str, own: Mapping[str, Any]) -> str:
        if name in own:
            return self._text(own[name])
        if "." in name and name not in self.parameters:
            return text(self._get_att(name))
        return text(self._ref(name))

    def _join(self, argument: Any) -> str:
        separator, values = argument
        return str(separator).join(text(item) for item in self._list(values))

    def _select(self, argument: Any) -> Any:
        index, values = argument
        return self._list(values)[int(self.resolve(index))]

    def _split(self, argument: Any) -> list[str]:
        separator, source = argument
        return self._text(source).split(separator)

    def _if(self, argument: Any) -> Any:
        return self.resolve(self.conditions.choose(argument))

    def _list(self, values: Any) -> list[Any]:
        resolved = self.resolve(values)
        if not isinstance(resolved, list):
            raise TypeError(f"{resolved!r} is not a list")
        return resolved

    def _find_in_map(self, argument: Any) -> Any:
        path = [self._text(key) for key in argument[:3]]
        fallback = argument[3].get("DefaultValue") if len(argument) > 3 else None
        found: Any = self.mappings
        for key in path:
            if key not in found:
                return self._missing_in_map(path, fallback)
            found = found[key]
        return self.resolve(found)

    def _missing_in_map(self, path: list[str], fallback: Any) -> Any:
        if fallback is None:
            raise TemplateError(f"Mappings has no {'.'.join(path)}")
        return self.resolve(fallback)


def function_of(value: Mapping[str, Any]) -> str | None:
    """Return the function's name if `value` is a call of one."""
    if len(value) != 1:
        return None
    name = next(iter(value))
    return name if name == "Ref" or name.startswith("Fn::") else None


def attribute_of(argument: Any) -> tuple[str, Any]:
    """Return logical id and attribute of either form of ``Fn::GetAtt``."""
    logical_id, name = argument.split(".", 1) if isinstance(argument, str) else argument
    return logical_id, name


def references(value: Any, conditions: Conditions) -> Iterator[tuple[str, str | None]]:
    """Yield logical id and attribute (None for ``Ref``) of everything `value` refers to under `conditions`."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, conditions)
    elif isinstance(value, Mapping):
        yield from _references_of_mapping(value, conditions)


def _references_of_mapping(value: Mapping[str, Any], conditions: Conditions) -> Iterator[tuple[str, str | None]]:
    name = function_of(value)
    if name == "Ref":
        yield value["Ref"], None
    elif name == "Fn::GetAtt":
        yield attribute_of(value[name])
    elif name == "Fn::Sub":
        yield from _references_of_sub(value[name], conditions)
    elif name == "Fn::If":
        yield from references(conditions.choose(value[name]), conditions)
    else:
        for item in value.values():
            yield from references(item, conditions)


def _references_of_sub(argument: Any, conditions: Conditions) -> Iterator[tuple[str, str | None]]:
    template, own = (argument, {}) if isinstance(argument, str) else argument
    yield from references(list(own.values()), conditions)
    for literal, name in _PLACEHOLDER.findall(template):
        if not literal and name.strip() not in own:
            logical_id, _, attribute = name.strip().partition(".")
            yield logical_id, attribute or None
