"""JSON as RFC 8259 has it, and nothing that two readers could understand differently.

Python's own parser takes NaN, the last of two equal keys, texts in UTF-16 and halves of characters; the serving
container takes none of these, so neither may the front door.
"""

import json
from collections import Counter
from collections.abc import Sequence
from math import isfinite
from typing import Any

from lambdas.inference.problems import Problem

DEEPEST = 64
"""Levels of lists and objects: more than any model's input has, and far fewer than Python's stack holds."""

_SHOWN = 40
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")


def loads(body: bytes) -> Any:
    """Return what a body says.

    Raises
    ------
    Problem
        When it is not JSON, saying where and why.
    """
    if not body.strip():
        raise _refused("it is empty; send a JSON object")
    _check_depth(body)
    try:
        content = _decode(body.decode("utf-8"))
        _check_characters(body, content)
    except UnicodeDecodeError as error:
        raise _refused(f"byte {error.start + 1} is not UTF-8; send the text in UTF-8") from error
    except UnicodeEncodeError as error:
        raise _refused("an escape such as \\ud800 is half of a character; send the character") from error
    except json.JSONDecodeError as error:
        raise _refused(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except ValueError as error:  # Python's bound on the digits of an integer
        raise _refused("a number has too many digits; send what a 64-bit float holds") from error
    return content


def _refused(reason: str) -> Problem:
    return Problem("invalid-json", f"the body is not JSON: {reason}")


def _check_depth(body: bytes) -> None:
    """Refuse what is nested too deeply before it is parsed, level by level and without a look at each byte."""
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return
    outside = b"".join(body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    brackets = outside.translate(_ONE_KIND, _OTHERS)
    for _ in range(DEEPEST):
        brackets = brackets.replace(b"[]", b"")
    # What is left because its brackets do not match is no JSON, whatever is said of it.
    if brackets:
        raise _refused(f"it is nested more than {DEEPEST} levels deep, or its brackets do not match; send flat rows")


def _check_characters(body: bytes, content: Any) -> None:
    if b"\\u" in body:
        json.dumps(content, ensure_ascii=False).encode()


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = Counter(name for name, _ in pairs)
        twice = next(name for name, times in names.items() if times > 1)
        raise _refused(f"the key {twice[:_SHOWN]!a} comes twice in one object; send each once")
    return found


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise _refused(f"{text[:_SHOWN]} is more than a 64-bit float holds; check its unit")
    return value


def _no_constant(text: str) -> Any:
    raise _refused(f"{text} is not a JSON value; send a number, or null where the model takes rows with missing values")


_decode = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_constant).decode
