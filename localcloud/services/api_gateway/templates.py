"""Texts with variables: bodies and headers of gateway responses, lines of access logs."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.errors import NotSimulatedError

_NAME = r"(context|stageVariables)\.([A-Za-z0-9_.-]*[A-Za-z0-9_-])"
_VARIABLE = re.compile(rf"\$\{{{_NAME}\}}|\${_NAME}")
_DIRECTIVE = re.compile(r"#(set|if|elseif|else|end|foreach)\b|\$(input|util)\b|\$!|\$\{?method\.")

Context = Mapping[str, Any]


def check(text: str, where: str) -> None:
    """Raise `NotSimulatedError` for a template that asks for more than variables."""
    found = _DIRECTIVE.search(text)
    if found is not None:
        raise NotSimulatedError(f"{found.group().strip()!r} in {where} (here only $context and $stageVariables)")


def value_at(context: Context, path: str) -> Any:
    """Return what lies at a dotted path; None if there is nothing."""
    found: Any = context
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def filled(text: str, context: Context, variables: Context, absent: str = "") -> str:
    """Return `text` with its variables replaced; those without a value by `absent`."""
    return _VARIABLE.sub(_replacer(context, variables, absent), text)


def _replacer(context: Context, variables: Context, absent: str) -> Callable[[re.Match[str]], str]:
    def replaced(match: re.Match[str]) -> str:
        kind, path = (part for part in match.groups() if part is not None)
        value = value_at(context, path) if kind == "context" else variables.get(path)
        if value is None:
            return absent
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value)

    return replaced
