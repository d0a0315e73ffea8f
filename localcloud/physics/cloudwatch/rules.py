"""Rule expressions of composite alarms."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from localcloud.errors import AwsError

_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Za-z_]+)|(?P<quoted>\"[^\"]*\"|'[^']*')|(?P<sign>[()]))")
# An alarm's name may stand without quotes, up to the closing bracket.
_BARE_NAME = re.compile(r"\s*([^\"')(\s][^)]*?)\s*(?=\))")
_STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")

StateOf = Callable[[str], str]
Condition = Callable[[StateOf], bool]


@dataclass(frozen=True)
class Rule:
    """A parsed rule."""

    text: str
    alarms: tuple[str, ...]
    """Names of the alarms it refers to, in order, each once."""
    holds: Condition
    """Whether it holds, given the state of each alarm by name."""


def parse_rule(text: str) -> Rule:
    """Parse a rule.

    Raises
    ------
    AwsError
        ``ValidationError``, saying what is wrong.
    """
    return _RuleParser(text).whole()


class _RuleParser:
    """Recursive descent: OR binds loosest, then AND, then NOT."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._names: dict[str, None] = {}

    def whole(self) -> Rule:
        condition = self._or()
        if self._text[self._at :].strip():
            raise self._error(f"unexpected '{self._text[self._at :].strip()}'")
        return Rule(self._text, tuple(self._names), condition)

    def _error(self, why: str) -> AwsError:
        return AwsError("ValidationError", f"AlarmRule '{self._text}' is not valid: {why}")

    def _peek(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        return found[0].strip() if found else ""

    def _take(self) -> str:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            raise self._error("unexpected end")
        self._at = found.end()
        return found[0].strip()

    def _expect(self, sign: str) -> None:
        if self._take() != sign:
            raise self._error(f"expected '{sign}'")

    def _or(self) -> Condition:
        sides = [self._and()]
        while self._peek() == "OR":
            self._take()
            sides.append(self._and())
        return sides[0] if len(sides) == 1 else lambda state_of: any(side(state_of) for side in sides)

    def _and(self) -> Condition:
        sides = [self._not()]
        while self._peek() == "AND":
            self._take()
            sides.append(self._not())
        return sides[0] if len(sides) == 1 else lambda state_of: all(side(state_of) for side in sides)

    def _not(self) -> Condition:
        if self._peek() != "NOT":
            return self._primary()
        self._take()
        operand = self._not()
        return lambda state_of: not operand(state_of)

    def _primary(self) -> Condition:
        token = self._take()
        if token in ("TRUE", "FALSE"):
            return lambda _: token == "TRUE"
        if token == "(":
            inner = self._or()
            self._expect(")")
            return inner
        if token in _STATES:
            name = self._name()
            return lambda state_of: state_of(name) == token
        raise self._error(f"unexpected '{token}'")

    def _name(self) -> str:
        self._expect("(")
        bare = _BARE_NAME.match(self._text, self._at)
        if bare is not None:
            self._at = bare.end()
            name = bare[1]
        else:
            name = self._take()[1:-1]
        self._expect(")")
        name = name.rpartition(":alarm:")[2]  # an ARN names the alarm too
        self._names[name] = None
        return name
