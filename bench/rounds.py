"""Rounds in turns (A B A B ...), so that a busy moment of the machine meets everything that is compared."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Measure = Callable[[], float]
Tell = Callable[[str], None]
"""Shows what is being done right now."""


@dataclass(frozen=True)
class Rounds:
    """What every measure gave, round by round.

    Parameters
    ----------
    values
        One number for each round, by measure.
    """

    values: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median of a measure."""
        return median(self.values[name])

    def combine(self, formula: Callable[[Mapping[str, float]], float]) -> list[float]:
        """Return the formula's result for each round."""
        names = list(self.values)
        return [formula(dict(zip(names, each, strict=True))) for each in zip(*self.values.values(), strict=True)]

    def ratios(self, subject: str, peer: str) -> list[float]:
        """Return subject over peer for each round."""
        return self.combine(lambda each: each[subject] / each[peer])


def take_turns(count: int, measures: Mapping[str, Measure], tell: Tell, warm_up: bool = True) -> Rounds:
    """Measure everything `count` times in turns, after one turn that does not count."""
    if warm_up:
        for name, measure in measures.items():
            tell(f"{name}, warming up")
            measure()
    values: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(1, count + 1):
        for name, measure in measures.items():
            tell(f"{name}, round {number} of {count}")
            values[name].append(measure())
    return Rounds(values)


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def typical_seconds(action: Callable[[], object], times: int) -> float:
    """Return the median of how long an action takes."""
    return median(seconds_of(action) for _ in range(times))
