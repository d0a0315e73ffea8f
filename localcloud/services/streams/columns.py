"""Column types as Hive writes them, and how the OpenX JSON SerDe reads values for them."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from localcloud.errors import NotSimulatedError

_INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "integer": 32, "bigint": 64}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - Hive's timestamps have no zone
_TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z?)")
_SECONDS_END = 100_000_000_000
"""Whole numbers of more digits than seconds have are milliseconds."""


class MisfitError(ValueError):
    """A value that is not of its column's type."""


@dataclass(frozen=True)
class ColumnType:
    """A type; `kind` is a primitive's name, ``array`` (of one inner type) or ``struct`` (of named inner types)."""

    kind: str
    inner: tuple["ColumnType", ...] = ()
    names: tuple[str, ...] = ()

    def read(self, value: Any) -> Any:
        """Return a JSON value as the type's; raise `MisfitError` if it is none."""
        return None if value is None else _READERS[self.kind](self, value)


def parsed(text: str) -> ColumnType:
    """Return the type that a text names; raise an error that names what is not simulated."""
    written = text.strip().lower()
    head, _, rest = written.partition("<")
    if not rest:
        if written not in _READERS or written in ("array", "struct"):
            raise NotSimulatedError(f"the column type {text!r} in a format conversion")
        return ColumnType(written)
    parts = _split(rest.removesuffix(">"))
    if head == "array":
        return ColumnType("array", (parsed(parts[0]),))
    if head == "struct":
        pairs = [part.partition(":") for part in parts]
        return ColumnType("struct", tuple(parsed(kind) for _, _, kind in pairs), tuple(name for name, _, _ in pairs))
    raise NotSimulatedError(f"the column type {text!r} in a format conversion")


def _split(text: str) -> list[str]:
    """Return what commas divide, but for those inside of angle brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _text(_kind: ColumnType, value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _integer(kind: ColumnType, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise _misfit(kind, value)
    try:
        number = int(value)
    except ValueError:
        raise _misfit(kind, value) from None
    if not -(1 << (_INTEGERS[kind.kind] - 1)) <= number < 1 << (_INTEGERS[kind.kind] - 1):
        raise _misfit(kind, value)
    return number


def _float(kind: ColumnType, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _misfit(kind, value)
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise _misfit(kind, value) from None


def _boolean(kind: ColumnType, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise _misfit(kind, value)


def _timestamp(kind: ColumnType, value: Any) -> datetime:
    """Return a time of the forms that the guide lists: ISO in UTC, Hive's own, epoch seconds or milliseconds."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + timedelta(seconds=value / 1000 if abs(value) >= _SECONDS_END else value)
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return _timestamp(kind, float(value)) if isinstance(value, str) else _refuse(kind, value)
        year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
        micros = int(((found[7] or "") + "000000")[:6])
        return datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise _misfit(kind, value) from None


def _date(kind: ColumnType, value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _misfit(kind, value) from None


def _array(kind: ColumnType, value: Any) -> list[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _misfit(kind, value)
    return [kind.inner[0].read(item) for item in value]


def _struct(kind: ColumnType, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _misfit(kind, value)
    given = {str(key).lower(): item for key, item in value.items()}
    return {name: inner.read(given.get(name)) for name, inner in zip(kind.names, kind.inner, strict=True)}


def _refuse(kind: ColumnType, value: Any) -> Any:
    raise _misfit(kind, value)


def _misfit(kind: ColumnType, value: Any) -> MisfitError:
    return MisfitError(f"{json.dumps(value)[:100]} is no {kind.kind}")


_READERS: dict[str, Callable[[ColumnType, Any], Any]] = {
    "string": _text,
    **dict.fromkeys(_INTEGERS, _integer),
    "float": _float,
    "double": _float,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
    "array": _array,
    "struct": _struct,
}
