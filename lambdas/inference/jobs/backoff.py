"""After how long something that could not be done is tried again."""

from collections.abc import Callable

FIRST_SECONDS = 15.0
LONGEST_SECONDS = 900.0


def seconds(tries: int, chance: Callable[[], float]) -> float:
    """Return how long to wait after so many tries.

    Parameters
    ----------
    tries
        1 after the first.
    chance
        Returns a number in [0, 1): jobs that failed together must not come back together.
    """
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0 ** (min(tries, 32) - 1))
    return longest * (0.5 + 0.5 * chance())
