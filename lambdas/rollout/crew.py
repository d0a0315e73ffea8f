"""Who works on several endpoints: one worker after another, or many side by side so that none waits for another."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

HANDS = 10
"""A client of boto3 keeps as many connections; the work is waiting for AWS nearly all the time."""

T = TypeVar("T")
R = TypeVar("R")


class Crew(Protocol):
    """Does a piece of work for each of some things, and returns the results in their order."""

    def __call__(self, work: Callable[[T], R], things: Iterable[T], /) -> list[R]:
        """Work."""


def one_by_one(work: Callable[[T], R], things: Iterable[T], /) -> list[R]:
    """Work in turn."""
    return [work(thing) for thing in things]


def side_by_side(work: Callable[[T], R], things: Iterable[T], /) -> list[R]:
    """Work in threads: what hangs on one thing keeps only its own thread from the others."""
    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(work, things))
