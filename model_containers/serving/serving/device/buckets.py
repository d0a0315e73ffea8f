"""The fixed batch sizes of a GPU, and the cheapest way to run any number of rows with them."""

from collections.abc import Sequence

SMALLEST_GAIN = 1e-12
"""Seconds. Costs are sums of floats: below this, two ways cost the same."""


def sizes(largest: int) -> tuple[int, ...]:
    """Return the powers of two up to `largest`, and `largest` itself."""
    powers = [2**power for power in range(largest.bit_length()) if 2**power <= largest]
    return tuple(powers) if powers[-1] == largest else (*powers, largest)


class Splits:
    """The cheapest split of every number of rows into buckets, worked out once.

    What is not filled is padding: 33 rows are run as 32 and 1, or as 64, whichever took less time at warm-up. Solves
    ``cost(n) = min over buckets b of seconds(b) + cost(n - b)``, with cost 0 for n <= 0; of equal costs the fewest
    runs, then the least padding.

    Parameters
    ----------
    buckets
        Batch sizes, ascending.
    seconds
        How long a run of each takes; more than 0.

    Raises
    ------
    ValueError
        Without buckets, or if there is not one positive time for each.
    """

    def __init__(self, buckets: Sequence[int], seconds: Sequence[float]) -> None:
        if not buckets or len(buckets) != len(seconds) or min(buckets) < 1 or not min(seconds) > 0:
            raise ValueError(f"buckets {list(buckets)} with seconds {list(seconds)}; needed is a time above 0 for each")
        self._costs, self._splits = _solve(buckets, seconds)

    def split(self, rows: int) -> tuple[int, ...]:
        """Return the buckets to run, the largest first: fill them in this order, and only the last has padding.

        Parameters
        ----------
        rows
            From 1 to the largest bucket.

        Raises
        ------
        ValueError
            Naming the number that no bucket holds.
        """
        self._check(rows)
        return self._splits[rows]

    def seconds(self, rows: int) -> float:
        """Return how long these rows take when they are split so; `rows` as for `split`."""
        self._check(rows)
        return self._costs[rows]

    def _check(self, rows: int) -> None:
        if not 0 < rows < len(self._splits):
            raise ValueError(f"{rows} rows; allowed is 1 to {len(self._splits) - 1}, the largest bucket")


def _solve(buckets: Sequence[int], seconds: Sequence[float]) -> tuple[list[float], list[tuple[int, ...]]]:
    costs, splits = [0.0], [()]  # type: tuple[list[float], list[tuple[int, ...]]]
    for rows in range(1, max(buckets) + 1):
        best: tuple[float, tuple[int, ...]] | None = None
        for size, cost in zip(buckets, seconds, strict=True):
            rest = max(0, rows - size)
            way = (cost + costs[rest], tuple(sorted((size, *splits[rest]), reverse=True)))
            if best is None or _better(way, best):
                best = way
        assert best is not None
        costs.append(best[0])
        splits.append(best[1])
    return costs, splits


def _better(way: tuple[float, tuple[int, ...]], than: tuple[float, tuple[int, ...]]) -> bool:
    if abs(way[0] - than[0]) > SMALLEST_GAIN:
        return way[0] < than[0]
    return (len(way[1]), sum(way[1])) < (len(than[1]), sum(than[1]))
