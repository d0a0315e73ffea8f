"""JSONPath as far as definitions use it here: references, payload templates and `States.Format`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from localcloud.errors import NotSimulatedError
from localcloud.services.workflows.errors import RUNTIME, StateError

_REFERENCE = re.compile(r"^\$\$?(\.[A-Za-z_][\w-]*)*$")
_FORMAT = re.compile(r"^States\.Format\('((?:[^'\\]|\\.)*)'((?:,\s*\$[^,()\s]*)*)\)$")
_SUFFIX = ".$"


def check_expression(text: object, where: str) -> None:
    """Raise `NotSimulatedError` unless an expression is of a kind that is evaluated here."""
    match = _FORMAT.match(str(text))
    paths = [text] if match is None else _arguments(match)
    for path in paths:
        if not isinstance(path, str) or not _REFERENCE.match(path):
            raise NotSimulatedError(f"the expression {text!r} of {where} (here: $.name.name, $$.name, States.Format)")


def check_template(template: object, where: str) -> None:
    """Check all expressions of a payload template; see `check_expression`."""
    for expression in _expressions(template):
        check_expression(expression, where)


def evaluate(expression: str, data: Any, context: Mapping[str, Any]) -> Any:
    """Return what an expression stands for.

    Raises
    ------
    StateError
        When there is nothing at a path.
    """
    match = _FORMAT.match(expression)
    if match is None:
        return _reach(expression, data, context)
    values = iter([_reach(path, data, context) for path in _arguments(match)])
    pieces = re.split(r"(?<!\\)\{\}", match[1])
    try:
        text = pieces[0] + "".join(_text(next(values)) + piece for piece in pieces[1:])
    except StopIteration:
        raise StateError(RUNTIME, f"{expression} has fewer arguments than places for them") from None
    return re.sub(r"\\(.)", r"\1", text)


def filled(template: Any, data: Any, context: Mapping[str, Any]) -> Any:
    """Return a payload template with its expressions evaluated."""
    if isinstance(template, list):
        return [filled(item, data, context) for item in template]
    if not isinstance(template, Mapping):
        return template
    return {
        name.removesuffix(_SUFFIX): evaluate(value, data, context)
        if name.endswith(_SUFFIX)
        else filled(value, data, context)
        for name, value in template.items()
    }


def placed(path: str | None, data: Any, result: Any) -> Any:
    """Return a state's input with its result at a ResultPath; None leaves the input as it is."""
    if path is None:
        return data
    names = path.split(".")[1:]
    if not names:
        return result
    if not isinstance(data, Mapping):
        raise StateError(RUNTIME, f"ResultPath {path} needs an input that is an object")
    inner = placed("$" + "".join(f".{name}" for name in names[1:]), data.get(names[0], {}), result)
    return {**data, names[0]: inner}


def _reach(path: str, data: Any, context: Mapping[str, Any]) -> Any:
    found = context if path.startswith("$$") else data
    for name in path.split(".")[1:]:
        if not isinstance(found, Mapping) or name not in found:
            raise StateError(RUNTIME, f"The JSONPath '{path}' could not be found in the input")
        found = found[name]
    return found


def _arguments(match: re.Match[str]) -> list[str]:
    return [part.strip() for part in match[2].split(",") if part.strip()]


def _text(value: Any) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        raise StateError(RUNTIME, f"States.Format takes texts and numbers here, not {value!r}")
    return str(value)


def _expressions(template: object) -> Iterator[object]:
    if isinstance(template, list):
        for item in template:
            yield from _expressions(item)
    elif isinstance(template, Mapping):
        for name, value in template.items():
            if name.endswith(_SUFFIX):
                yield value
            else:
                yield from _expressions(value)
