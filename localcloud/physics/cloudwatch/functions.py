"""Time series with missing data, and the metric math functions over them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from localcloud.errors import AwsError, NotSimulatedError

Series = dict[float, float]
"""Value by the start of its period; a period without an entry has no data."""

Value = Any
"""A number, a `Series`, text, or a list of these."""


@dataclass(frozen=True)
class Window:
    """A span of whole periods."""

    start: float
    periods: int
    period: float

    def timeline(self) -> list[float]:
        """Return the start of every period, oldest first."""
        return [self.start + index * self.period for index in range(self.periods)]


def combine(function: Callable[[float, float], float | None], left: Value, right: Value) -> Value:
    """Apply an operator; over series, at the times for which both sides have data."""
    if isinstance(left, list):
        return [combine(function, member, right) for member in left]
    if isinstance(right, list):
        return [combine(function, left, member) for member in right]
    if not isinstance(left, dict) and not isinstance(right, dict):
        return function(left, right)
    times = _common_times(left, right)
    pairs = ((at, function(_value_at(left, at), _value_at(right, at))) for at in times)
    return {at: value for at, value in pairs if value is not None}


def negate(value: Value) -> Value:
    """Return the value with its sign changed."""
    return combine(lambda zero, operand: zero - operand, 0.0, value)


def _common_times(*values: Value) -> list[float]:
    series = [set(value) for value in values if isinstance(value, dict)]
    return sorted(set.intersection(*series)) if series else []


def _value_at(value: Value, at: float) -> float:
    return float(value[at] if isinstance(value, dict) else value)


def _choose(window: Window, condition: Value, then: Value, otherwise: Value = None) -> Value:
    """IF: no data where the condition has none, where the chosen side has none, or where there is no other side."""
    if not isinstance(condition, dict):
        condition = dict.fromkeys(window.timeline(), float(condition))
    chosen: Series = {}
    for at, truth in condition.items():
        side = then if truth else otherwise
        value = side.get(at) if isinstance(side, dict) else side
        if value is not None:
            chosen[at] = float(value)
    return chosen


def _fill(window: Window, value: Value, filler: Value) -> Value:
    """FILL with a number, another series, or REPEAT."""
    if isinstance(value, list):
        return [_fill(window, member, filler) for member in value]
    if filler == "REPEAT":
        return _repeat(window, value)
    filled = {at: _filler_at(filler, at) for at in window.timeline() if at not in value}
    return dict(sorted({**value, **{at: number for at, number in filled.items() if number is not None}}.items()))


def _filler_at(filler: Value, at: float) -> float | None:
    if isinstance(filler, str):
        raise NotSimulatedError(f"FILL(..., {filler})")
    return filler.get(at) if isinstance(filler, dict) else float(filler)


def _repeat(window: Window, value: Series) -> Series:
    filled: Series = {}
    latest: float | None = None
    for at in window.timeline():
        latest = value.get(at, latest)
        if latest is not None:
            filled[at] = latest
    return filled


def _each(function: Callable[[float], float]) -> Callable[..., Value]:
    def apply(window: Window, value: Value) -> Value:
        if isinstance(value, list):
            return [apply(window, member) for member in value]
        if isinstance(value, dict):
            return {at: float(function(number)) for at, number in value.items()}
        return float(function(value))

    return apply


def _over(function: Callable[[list[float]], float]) -> Callable[..., Value]:
    """An aggregate: over several series, time by time; over one, a number that stands at every time."""

    def apply(window: Window, *values: Value) -> Value:
        members = values[0] if len(values) == 1 and isinstance(values[0], list) else list(values)
        if len(members) == 1 and isinstance(members[0], dict):
            series = members[0]
            return dict.fromkeys(window.timeline(), function(list(series.values()))) if series else {}
        if not any(isinstance(member, dict) for member in members):
            return function([float(member) for member in members])
        return _across(members, function)

    return apply


def _across(members: list[Value], function: Callable[[list[float]], float]) -> Series:
    times = sorted({at for member in members if isinstance(member, dict) for at in member})
    return {at: function(list(_present(members, at))) for at in times}


def _present(members: list[Value], at: float) -> Iterable[float]:
    """Missing data is left out, as CloudWatch does in aggregates."""
    return (_value_at(m, at) for m in members if not isinstance(m, dict) or at in m)


def _period(window: Window, value: Value) -> float:
    if not isinstance(value, dict):
        raise AwsError("ValidationError", "PERIOD takes a metric")
    return window.period


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "IF": _choose,
    "FILL": _fill,
    "ABS": _each(abs),
    "CEIL": _each(math.ceil),
    "FLOOR": _each(math.floor),
    "SUM": _over(math.fsum),
    "MIN": _over(min),
    "MAX": _over(max),
    "AVG": _over(lambda numbers: math.fsum(numbers) / len(numbers)),
    "DATAPOINT_COUNT": _over(lambda numbers: float(len(numbers))),
    "PERIOD": _period,
}
