"""Filter patterns ("Filter pattern syntax" in the guide of CloudWatch Logs): none, and properties of JSON events."""

import json
import re
from collections.abc import Callable
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError

Matches = Callable[[str], bool]

_TEST = re.compile(
    r"\$\.(?P<path>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)\s*(?P<sign>=|!=)\s*"
    r'(?:"(?P<text>[^"*\\]*)"|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w-]*))'
)


def compiled(pattern: str) -> Matches:
    """Return what tells whether an event's message matches; raise an error if the pattern is not simulated.

    Simulated are the empty pattern, and ``{ $.a.b = "text" }`` with ``=`` and ``!=`` on texts and numbers, joined by
    ``&&``. A message that is not JSON, or lacks the property, matches none of these.
    """
    text = pattern.strip()
    if not text:
        return lambda _message: True
    if not (text.startswith("{") and text.endswith("}")):
        raise NotSimulatedError(f"the filter pattern {pattern!r}")
    tests = [_test(part.strip(), pattern) for part in text[1:-1].split("&&")]

    def matches(message: str) -> bool:
        if not message.lstrip().startswith("{"):
            return False
        try:
            event = json.loads(message)
        except ValueError:
            return False
        return all(test(event) for test in tests)

    return matches


def _test(text: str, pattern: str) -> Callable[[Any], bool]:
    if not text:
        raise AwsError("InvalidParameterException", f"Invalid filter pattern: {pattern!r}")
    found = _TEST.fullmatch(text)
    if found is None:
        raise NotSimulatedError(f"{text!r} in the filter pattern {pattern!r}")
    path, equals = found["path"].split("."), found["sign"] == "="
    number = found["number"]
    wanted: Any = float(number) if number is not None else found["text"] if found["text"] is not None else found["word"]

    def test(event: Any) -> bool:
        for name in path:
            if not isinstance(event, dict) or name not in event:
                return False
            event = event[name]
        if isinstance(event, dict | list) or event is None:
            return False
        return (event == wanted) is equals

    return test
