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


def take_turns(count: int, turns: int, measures: Mapping[str, Measure], tell: Tell) -> Rounds:
    """Measure everything in turns, after one round that does not count.

    Parameters
    ----------
    count
        Rounds.
    turns
        Turns a round, in each of which everything is measured once; a round's value is their median.
    measures
        What is compared, by name.
    tell
        Shows where it is.
    """
    tell("warming up")
    _round(1, measures)
    rounds = []
    for number in range(1, count + 1):
        tell(f"round {number} of {count}")
        rounds.append(_round(turns, measures))
    return Rounds({name: [each[name] for each in rounds] for name in measures})


def _round(turns: int, measures: Mapping[str, Measure]) -> dict[str, float]:
    taken = [{name: measure() for name, measure in measures.items()} for _ in range(turns)]
    return {name: median(each[name] for each in taken) for name in measures}


def seconds_of(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began
