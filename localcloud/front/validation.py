"""Requests held against the service model: what botocore checks, and what only AWS checks (enums, patterns, bounds)."""

import re
from functools import cache
from typing import Any

from botocore.validate import ParamValidator

from localcloud.errors import AwsError

_validator = ParamValidator()


def validate(parameters: dict[str, Any], shape: Any) -> None:
    """Raise `AwsError` (ValidationException) naming every parameter that the service model does not allow."""
    if shape is None:
        return
    report = _validator.validate(parameters, shape)
    problems = [report.generate_report()] if report.has_errors() else _constraint_problems(parameters, shape, "")
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected"
        raise AwsError("ValidationException", f"{count}: {'; '.join(problems)}")


def _constraint_problems(value: Any, shape: Any, path: str) -> list[str]:
    if value is None:
        return []
    if shape.type_name == "structure":
        members = ((_member(path, name), shape.members.get(name), item) for name, item in value.items())
        return [p for where, member, item in members if member for p in _constraint_problems(item, member, where)]
    if shape.type_name == "list":
        parts = (
            problem
            for i, item in enumerate(value, start=1)
            for problem in _constraint_problems(item, shape.member, f"{path}.{i}.member")
        )
        return [*_length_problems(len(value), shape, path), *parts]
    if shape.type_name == "map":
        return [p for key, item in value.items() for p in _constraint_problems(item, shape.value, f"{path}.{key}")]
    return _scalar_problems(value, shape, path)


def _member(path: str, name: str) -> str:
    """Return a member's path as AWS writes it: ``productionVariants.1.member.instanceType``."""
    written = name[:1].lower() + name[1:]
    return f"{path}.{written}" if path else written


def _scalar_problems(value: Any, shape: Any, path: str) -> list[str]:
    if shape.type_name == "string" and isinstance(value, str):
        return _string_problems(value, shape, path)
    if shape.type_name in ("integer", "long", "float", "double"):
        return _range_problems(value, shape, path)
    return []


def _string_problems(value: str, shape: Any, path: str) -> list[str]:
    if shape.enum and value not in shape.enum:
        return [_failed(value, path, f"enum value set: [{', '.join(shape.enum)}]")]
    pattern = _compiled(shape.metadata.get("pattern", ""))
    if pattern is not None and not pattern.fullmatch(value):
        return [_failed(value, path, f"regular expression pattern: {pattern.pattern}")]
    return _length_problems(len(value), shape, path)


def _length_problems(length: int, shape: Any, path: str) -> list[str]:
    longest = shape.metadata.get("max")
    if longest is not None and length > longest:
        return [
            f"Value at '{path}' failed to satisfy constraint: Member must have length less than or equal to {longest}"
        ]
    return []


def _range_problems(value: float, shape: Any, path: str) -> list[str]:
    highest = shape.metadata.get("max")
    if highest is not None and value > highest:
        return [_failed(value, path, f"value less than or equal to {highest}")]
    return []


def _failed(value: object, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy {constraint}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern, or None where it is written for another regular-expression engine."""
    try:
        return re.compile(pattern, re.DOTALL) if pattern else None
    except (re.error, FutureWarning):
        return None
