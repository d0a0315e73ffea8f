"""Documents as YAML, for people to read: mappings, lists, texts, numbers, and nothing else that YAML knows."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z/$][A-Za-z0-9_/$-]*(?: [A-Za-z0-9_/-]+)*")
_BEYOND_ASCII = re.compile(r"[^\x20-\x7e]")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


def written(document: Mapping[str, Any]) -> str:
    """Return a document as YAML that every version of YAML reads alike."""
    return "\n".join(_lines(document, "")) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of a list or mapping that is not empty."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _entry(f"{indent}{_scalar(str(key))}:", each, f"{indent}  ")
    else:
        for each in value:
            yield from _item(each, indent)


def _entry(start: str, value: Any, indent: str) -> Iterator[str]:
    if not _is_nested(value):
        yield f"{start} {_scalar(value)}"
        return
    yield start
    yield from _lines(value, indent)


def _item(value: Any, indent: str) -> Iterator[str]:
    if not _is_nested(value):
        yield f"{indent}- {_scalar(value)}"
        return
    first, *others = _lines(value, f"{indent}  ")
    yield f"{indent}- {first.lstrip(' ')}"
    yield from others


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | tuple | Mapping) and bool(value)


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    if isinstance(value, float):
        # To YAML 1.1, 1e+16 is a text and 1.0e+16 a number.
        return re.sub(r"^(-?\d+)e", r"\1.0e", repr(value))
    # JSON would write what is beyond 16 bits in two halves, which are two characters to YAML.
    return _BEYOND_ASCII.sub(lambda found: f"\\U{ord(found[0]):08x}", json.dumps(value, ensure_ascii=False))
