"""As much of a window as a number of bytes has room for, the worst first."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from lambdas.monitoring.assessment import Assessment

_NUMBER = 32
"""Bytes that a number takes at most, with what stands between it and the next."""

T = TypeVar("T")

Size = Callable[[Any], int]


def escaped(value: Any) -> int:
    """Return the bytes of a value in JSON that is all ASCII, with the comma after it."""
    return len(json.dumps(value)) + 2


def plain(value: Any) -> int:
    """Return the bytes of a value in UTF-8, which is no less than DynamoDB counts."""
    return len(json.dumps(value, ensure_ascii=False).encode(errors="replace")) + 2


def fitting(values: Iterable[T], room: int, size: Callable[[T], int]) -> list[T]:
    """Return the values that there is room for, those in front before others."""
    kept = []
    for value in values:
        if (cost := size(value)) <= room:
            room -= cost
            kept.append(value)
    return kept


def worst_features(assessment: Assessment, room: int, size: Size) -> list[str]:
    """Return the features that there is room for, wherever each is named: severe ones before drifted ones and others.

    Parameters
    ----------
    assessment
        Whose.
    room
        Bytes for their names among the severe, the drifted and all, and for a number of each.
    size
        The bytes of a name.
    """
    severe, drifted, drifts = set(assessment.severe), set(assessment.drifted), assessment.features

    def rank(name: str) -> tuple[bool, bool, float]:
        return name not in severe, name not in drifted, -drifts[name].psi if name in drifts else 0.0

    def cost(name: str) -> int:
        return size(name) * (1 + (name in drifted) + (name in severe)) + _NUMBER

    return fitting(sorted(all_features(assessment), key=rank), room, cost)


def all_features(assessment: Assessment) -> list[str]:
    """Return all features that are named, each once."""
    return list(dict.fromkeys([*assessment.severe, *assessment.drifted, *assessment.features]))
