"""Conditions of a Condition step."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.services.pipelines.definition import unparsable
from localcloud.services.pipelines.expressions import ExpressionError

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_FIELDS = {
    **{kind: {"Type", "LeftValue", "RightValue"} for kind in ("Equals", *_ORDER)},
    "In": {"Type", "QueryValue", "Values"},
    "Not": {"Type", "Condition"},
    "Or": {"Type", "Conditions"},
    "And": {"Type", "Conditions"},
}

Condition = Mapping[str, Any]
Resolve = Callable[[Any], Any]


def check(condition: Condition, step: str) -> None:
    """Raise `AwsError` if it is not a condition: what is wrong, by name."""
    kind = condition.get("Type")
    if kind not in _FIELDS:
        raise unparsable(f"The step {step} has a condition of the type {kind!r}; there are {', '.join(_FIELDS)}")
    if set(condition) != _FIELDS[kind]:
        raise unparsable(f"A condition {kind} of the step {step} must have {', '.join(sorted(_FIELDS[kind]))}")
    for inner in _inner(condition):
        check(inner, step)


def holds(condition: Condition, resolve: Resolve) -> bool:
    """Return whether a condition holds; raise `ExpressionError` when its values cannot be compared."""
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], resolve)
    if kind in ("Or", "And"):
        parts = (holds(part, resolve) for part in condition["Conditions"])
        return any(parts) if kind == "Or" else all(parts)
    if kind == "In":
        value = resolve(condition["QueryValue"])
        return any(_equal(value, resolve(item)) for item in condition["Values"])
    left, right = resolve(condition["LeftValue"]), resolve(condition["RightValue"])
    if kind == "Equals":
        return _equal(left, right)
    if not (_is_number(left) and _is_number(right)) and not (isinstance(left, str) and isinstance(right, str)):
        raise ExpressionError(f"{kind} cannot compare {left!r} with {right!r}")
    return _ORDER[kind](left, right)


def _inner(condition: Condition) -> list[Condition]:
    return [condition["Condition"]] if "Condition" in condition else list(condition.get("Conditions") or ())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: Any, right: Any) -> bool:
    """Compare without Python's idea that true is 1."""
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)
