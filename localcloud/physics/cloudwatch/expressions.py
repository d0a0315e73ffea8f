"""Metric math: parsing, and evaluating over time series in which data can be missing."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError
from localcloud.physics.cloudwatch.functions import FUNCTIONS, Series, Value, Window, combine, negate

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)|(?P<name>[A-Za-z_]\w*)|(?P<text>\"[^\"]*\"|'[^']*')"
    r"|(?P<sign>&&|\|\||<=|>=|==|!=|[-+*/^%<>(),\[\]]))"
)


class ExpressionError(AwsError):
    """The expression cannot be understood; the text says where."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__("ValidationError", f"Error in expression '{text}': {why}")


@dataclass(frozen=True)
class Scope:
    """What an expression can refer to."""

    window: Window
    lookup: Callable[[str], Series]
    metrics: Callable[[], list[Series]]


Node = Callable[[Scope], Value]


def _arithmetic(function: Callable[[float, float], float]) -> Callable[[float, float], float | None]:
    def guarded(left: float, right: float) -> float | None:
        try:
            return float(function(left, right))
        except (ZeroDivisionError, OverflowError):
            return None  # CloudWatch gives no data point where the result is not a number

    return guarded


# Loosest first. Comparisons and logic give 1 or 0, as CloudWatch does.
_LEVELS: list[dict[str, Callable[[float, float], float | None]]] = [
    {"||": lambda a, b: float(bool(a or b)), "OR": lambda a, b: float(bool(a or b))},
    {"&&": lambda a, b: float(bool(a and b)), "AND": lambda a, b: float(bool(a and b))},
    {
        "<": _arithmetic(operator.lt),
        "<=": _arithmetic(operator.le),
        ">": _arithmetic(operator.gt),
        ">=": _arithmetic(operator.ge),
        "==": _arithmetic(operator.eq),
        "!=": _arithmetic(operator.ne),
    },
    {"+": _arithmetic(operator.add), "-": _arithmetic(operator.sub)},
    {"*": _arithmetic(operator.mul), "/": _arithmetic(operator.truediv), "%": _arithmetic(operator.mod)},
    {"^": _arithmetic(operator.pow)},
]


def parse(text: str) -> Node:
    """Return the expression in a form that can be evaluated.

    Raises
    ------
    ExpressionError
    """
    return _Parser(text).whole()


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)
        self._at = 0

    def whole(self) -> Node:
        node = self._binary(0)
        if self._at < len(self._tokens):
            raise ExpressionError(self._text, f"unexpected '{self._peek()}'")
        return node

    def _split(self, text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ExpressionError(text, f"unexpected character at position {at}")
            tokens.append((str(found.lastgroup), found[str(found.lastgroup)]))
            at = found.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise ExpressionError(self._text, "unexpected end")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        if self._next()[1] != sign:
            raise ExpressionError(self._text, f"expected '{sign}'")

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self._binary(level + 1)
        while (function := _LEVELS[level].get(self._peek())) is not None:
            self._next()
            left = _apply(function, left, self._binary(level + 1))
        return left

    def _unary(self) -> Node:
        if self._peek() == "-":
            self._next()
            operand = self._unary()
            return lambda scope: negate(operand(scope))
        return self._primary()

    def _primary(self) -> Node:
        kind, token = self._next()
        if kind == "number":
            number = float(token)
            return lambda _: number
        if kind == "text":
            return lambda _: token[1:-1]
        if token == "(":
            inner = self._binary(0)
            self._expect(")")
            return inner
        if token == "[":
            members = self._list("]")
            return lambda scope: [member(scope) for member in members]
        if kind == "name":
            return self._call(token) if self._peek() == "(" else _reference(token)
        raise ExpressionError(self._text, f"unexpected '{token}'")

    def _call(self, name: str) -> Node:
        self._expect("(")
        arguments = self._list(")")
        if name == "METRICS" and not arguments:
            return lambda scope: list(scope.metrics())
        function = FUNCTIONS.get(name)
        if function is None:
            raise ExpressionError(self._text, f"localcloud does not simulate the function {name}")
        return lambda scope: function(scope.window, *(argument(scope) for argument in arguments))

    def _list(self, closing: str) -> list[Node]:
        members: list[Node] = []
        while self._peek() != closing:
            if members:
                self._expect(",")
            members.append(self._binary(0))
        self._expect(closing)
        return members


def _apply(function: Callable[[float, float], float | None], left: Node, right: Node) -> Node:
    return lambda scope: combine(function, left(scope), right(scope))


def _reference(name: str) -> Node:
    def look_up(scope: Scope) -> Any:
        # REPEAT is the one word that is neither a metric nor a function.
        return name if name == "REPEAT" else scope.lookup(name)

    return look_up
