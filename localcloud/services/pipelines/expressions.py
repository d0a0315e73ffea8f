"""Values of a definition that are known only while it runs: Get, Std:Join and Std:JsonGet."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

GET, JOIN, JSON_GET = "Get", "Std:Join", "Std:JsonGet"
EXECUTION_VARIABLES = frozenset(
    {
        "StartDateTime",
        "CurrentDateTime",
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
        "TrainingJobName",
        "ProcessingJobName",
    }
)
_TOKEN = re.compile(r"\.?([^.\[\]'\"]+)|\[(\d+)\]|\[['\"]([^'\"]*)['\"]\]")
# What the API's lists of named things call the name.
_LIST_KEYS = ("OutputName", "InputName", "ChannelName", "Name", "Key")


class ExpressionError(ValueError):
    """An expression has no value; the text names it."""


def references(value: Any) -> Iterator[str]:
    """Yield the argument of every Get in a value."""
    if isinstance(value, Mapping):
        if set(value) == {GET}:
            yield str(value[GET])
            return
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references(item)


def tokens(path: str) -> list[str | int]:
    """Split ``Outputs['x'].S3Output[0]`` into names and positions; raise `ExpressionError` if it is no such path."""
    found: list[str | int] = []
    position = 0
    while position < len(path):
        match = _TOKEN.match(path, position)
        if match is None:
            raise ExpressionError(f"{path!r} is not a path such as Outputs['name'].S3Output.S3Uri")
        name, index, key = match.groups()
        found.append(int(index) if index is not None else name if name is not None else key)
        position = match.end()
    return found


def look_up(value: Any, path: list[str | int], whole: str) -> Any:
    """Follow a path into a description or a JSON document."""
    for token in path:
        value = _member(value, token, whole)
    return value


@dataclass(frozen=True)
class Resolver:
    """Resolves expressions.

    Parameters
    ----------
    parameters
        Values of the execution's parameters.
    variable
        Returns an execution variable.
    properties
        Returns what is known of a step that has run.
    document
        Returns the parsed JSON of a step's property file (step and name), or of an S3 URI (None and URI).
    """

    parameters: Mapping[str, Any]
    variable: Callable[[str], Any]
    properties: Callable[[str], Mapping[str, Any]]
    document: Callable[[str | None, str], Any]

    def resolve(self, value: Any) -> Any:
        """Return `value` with every expression in it replaced; raise `ExpressionError` for one without value."""
        if isinstance(value, Mapping):
            if set(value) == {GET}:
                return self._get(str(value[GET]))
            if set(value) == {JOIN}:
                return self._join(value[JOIN])
            if set(value) == {JSON_GET}:
                return self._json_get(value[JSON_GET])
            return {key: self.resolve(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(item) for item in value]
        return value

    def _get(self, reference: str) -> Any:
        kind, _, rest = reference.partition(".")
        if kind == "Parameters":
            return self.parameters[rest]
        if kind == "Execution":
            return self.variable(rest)
        step, path = step_and_path(reference)
        return _plain(look_up(self.properties(step), path, reference))

    def _join(self, argument: Mapping[str, Any]) -> str:
        return str(argument.get("On", "")).join(_text(self.resolve(item)) for item in argument["Values"])

    def _json_get(self, argument: Mapping[str, Any]) -> Any:
        if "S3Uri" in argument:
            uri = str(self.resolve(argument["S3Uri"]))
            document, where = self.document(None, uri), uri
        else:
            where = str(argument["PropertyFile"][GET])
            step, path = step_and_path(where)
            document = self.document(step, str(path[-1]))
        whole = f"{argument['Path']} in {where}"
        return look_up(document, tokens(str(argument["Path"])), whole)


def step_and_path(reference: str) -> tuple[str, list[str | int]]:
    """Split ``Steps.Train.ModelArtifacts.S3ModelArtifacts`` into the step and the path of its properties."""
    _, _, rest = reference.partition("Steps.")
    match = re.match(r"[A-Za-z0-9\-_]+", rest)
    if not reference.startswith("Steps.") or match is None:
        raise ExpressionError(f"{reference!r} is not Parameters.x, Execution.x or Steps.name.property")
    return match[0], tokens(rest[match.end() :])


def _member(value: Any, token: str | int, whole: str) -> Any:
    if isinstance(value, Mapping) and token in value:
        return value[token]
    if isinstance(value, list):
        if isinstance(token, int) and token < len(value):
            return value[token]
        for item in value:
            if isinstance(item, Mapping) and any(item.get(key) == token for key in _LIST_KEYS):
                return item
    raise ExpressionError(f"there is no {token!r} on the way to {whole}")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
