"""Conditions and rules of a template: functions of parameters and mappings alone."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.deploy.coercion import text
from localcloud.deploy.errors import TemplateError, UnsupportedError


class Conditions:
    """Truth of a template's named conditions.

    Parameters
    ----------
    definitions
        The template's ``Conditions``.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions
        self._known: dict[str, bool] = {}
        self._resolve: Callable[[Any], Any] = lambda value: value

    def attach(self, resolve: Callable[[Any], Any]) -> None:
        """Use `resolve` for the values that conditions compare."""
        self._resolve = resolve

    def holds(self, name: str) -> bool:
        """Return whether the condition `name` is true."""
        if name not in self._known:
            if name not in self._definitions:
                raise TemplateError(f"condition {name} is not defined")
            self._known[name] = self.evaluate(self._definitions[name])
        return self._known[name]

    def choose(self, argument: Any) -> Any:
        """Return the branch of an ``Fn::If`` that holds."""
        name, positive, negative = argument
        return positive if self.holds(name) else negative

    def evaluate(self, expression: Any) -> bool:
        """Return the truth of a condition expression."""
        if isinstance(expression, Mapping) and len(expression) == 1:
            name, argument = next(iter(expression.items()))
            if name in _FUNCTIONS:
                return _FUNCTIONS[name](self, argument)
        raise UnsupportedError(f"condition {expression!r} is not handled")

    def equal(self, argument: Any) -> bool:
        """Return whether both values are the same text."""
        left, right = (self._resolve(value) for value in argument)
        return left == right or (_is_scalar(left) and _is_scalar(right) and text(left) == text(right))

    def contains(self, argument: Any) -> bool:
        """Return whether the list has the value (``Fn::Contains``, of rules)."""
        values, wanted = (self._resolve(value) for value in argument)
        return text(wanted) in [text(value) for value in values]


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


_FUNCTIONS: dict[str, Callable[[Conditions, Any], bool]] = {
    "Condition": lambda self, name: self.holds(name),
    "Fn::Equals": lambda self, argument: self.equal(argument),
    "Fn::Not": lambda self, argument: not self.evaluate(argument[0]),
    "Fn::And": lambda self, argument: all(self.evaluate(part) for part in argument),
    "Fn::Or": lambda self, argument: any(self.evaluate(part) for part in argument),
    "Fn::Contains": lambda self, argument: self.contains(argument),
}


def broken_rules(rules: Mapping[str, Any], conditions: Conditions) -> list[str]:
    """Return the descriptions of the rule assertions that do not hold."""
    broken: list[str] = []
    for name, rule in rules.items():
        if "RuleCondition" in rule and not conditions.evaluate(rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions", []):
            if not conditions.evaluate(assertion["Assert"]):
                broken.append(assertion.get("AssertDescription", f"rule {name} does not hold"))
    return broken
