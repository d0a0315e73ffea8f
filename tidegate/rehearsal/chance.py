"""Random counts, exact and with a seed of their own. Standard library only."""

from __future__ import annotations

import math
from random import Random


def taken(random: Random, population: int, marked: int, drawn: int) -> int:
    """Return how many of `drawn` taken from a population without putting back are marked."""
    if 2 * marked > population:
        return drawn - taken(random, population, population - marked, drawn)
    if 2 * drawn > population:
        return marked - taken(random, population, marked, population - drawn)
    # How many of the marked are drawn, and how many of the drawn are marked, is the same: the smaller number is walked.
    few, many = sorted((marked, drawn))
    hits = 0
    for index in range(few):
        if random.random() * (population - index) < many - hits:
            hits += 1
    return hits


def binomial(random: Random, count: int, share: float) -> int:
    """Return how many of `count` happen, each with probability `share`."""
    if share <= 0 or count <= 0:
        return 0
    if share >= 1:
        return count
    if share > 0.5:
        return count - binomial(random, count, 1 - share)
    # From one that happens to the next: as many steps as happen, not as there are.
    hits, place, scale = 0, 0, math.log1p(-share)
    while True:
        place += int(math.log(1.0 - random.random()) / scale) + 1
        if place > count:
            return hits
        hits += 1
