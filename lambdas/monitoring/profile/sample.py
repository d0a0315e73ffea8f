"""A uniform sample of rows that merges without chance.

Each row gets a pseudo-random key that depends on nothing but where the row stands (a file's name, a line's
number); the sample is the rows with the least keys (a bottom-k sketch: Cohen and Kaplan, *Summarizing data using
bottom-k sketches*, PODC 2007; with equal weights this is Efraimidis and Spirakis, *Weighted random sampling with
a reservoir*, 2006). The sample of a union is therefore the least keys of the two samples: a part of many rows
gets as much room as its share of the rows, merging is associative and commutative, and counting in parts, in any
order and by any engine, gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from heapq import heappush, heapreplace
from math import isfinite

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Cell, Fields, as_integer
from lambdas.monitoring.profile.text_counts import TEXT_CHARACTERS

SAMPLE_ROWS = 1000
KEY_BITS = 53
"""Keys stay whole in JSON readers that hold numbers as floats."""
ANY_KEY = 2**KEY_BITS
DIGITS = 7
"""Significant digits that a sampled number keeps: a float32's."""

_MASK = 2**64 - 1
_GOLDEN = 0x9E3779B97F4A7C15
_ROWS_A_LINE = 2**20


def place_of(name: str, seed: int | str = 0) -> int:
    """Return 64 bits that stand for a file."""
    return int.from_bytes(blake2b(f"{seed}\n{name}".encode(errors="surrogatepass"), digest_size=8).digest(), "big")


def row_key(place: int, line: int, row: int = 0) -> int:
    """Return a row's key, of 53 bits: SplitMix64's output function (Steele, Lea and Flood, 2014).

    Parameters
    ----------
    place
        The file, from `place_of`.
    line, row
        The line's number, and the row's within the line (below 2**20).
    """
    mixed = (place + (line * _ROWS_A_LINE + row + 1) * _GOLDEN) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return (mixed ^ (mixed >> 31)) >> (64 - KEY_BITS)


class Sample:
    """Mutable: the `size` rows with the least keys.

    Numbers keep seven significant digits and texts 100 characters; what is not finite is kept as missing.
    """

    __slots__ = ("_heap", "limit", "size")

    def __init__(self, size: int = SAMPLE_ROWS) -> None:
        self.size = size
        self.limit = ANY_KEY
        """Rows with a greater key need not be offered."""
        self._heap: list[tuple[int, str, tuple[Cell, ...]]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sample) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __len__(self) -> int:
        return len(self._heap)

    def __repr__(self) -> str:
        return f"Sample({len(self)} of at most {self.size} rows)"

    @property
    def keys(self) -> tuple[int, ...]:
        """Keys of the rows, ascending."""
        return tuple(-key for key, _, _ in sorted(self._heap, reverse=True))

    @property
    def rows(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows, in the order of their keys."""
        return tuple(row for _, _, row in sorted(self._heap, key=lambda item: item[:2], reverse=True))

    def offer(self, key: int, row: Iterable[Cell]) -> None:
        """Take a row if its key is among the least."""
        if key > self.limit:
            return
        kept = tuple(map(_short, row))
        # Among equal keys the rows' text decides: rows themselves need not compare (None < 1.0 does not).
        item = (-key, repr(kept), kept)
        if len(self._heap) < self.size:
            heappush(self._heap, item)
        elif item[:2] > self._heap[0][:2]:
            heapreplace(self._heap, item)
        if len(self._heap) == self.size:
            self.limit = -self._heap[0][0]

    def merge(self, other: Sample) -> Sample:
        """Keep the least keys of both, and return these."""
        for key, row in zip(other.keys, other.rows, strict=True):
            self.offer(key, row)
        return self

    def to_json(self) -> dict[str, object]:
        """Return keys and rows for JSON."""
        return sample_json(self.size, self.keys, self.rows)

    @classmethod
    def from_json(cls, value: object, where: str = "sample") -> Sample:
        """Read a sample; raises `ProfileError` where it is malformed."""
        size, keys, rows = read_sample(value, where)
        sample = cls(size)
        for key, row in zip(keys, rows, strict=True):
            sample.offer(key, row)
        return sample


def sample_json(size: int, keys: Sequence[int], rows: Sequence[tuple[Cell, ...]]) -> dict[str, object]:
    """Return a sample's size, keys and rows for JSON."""
    return {"size": size, "keys": list(keys), "rows": [list(row) for row in rows]}


def read_sample(value: object, where: str) -> tuple[int, list[int], list[tuple[Cell, ...]]]:
    """Return what `sample_json` was given, as the JSON has it; raises `ProfileError` where it is malformed."""
    fields = Fields(value, where)
    rows, keys = fields.rows("rows"), [as_integer(k, at, 0) for k, at in fields.items("keys")]
    size = fields.integer("size", least=1)
    if len(rows) != len(keys) or len(rows) > size or any(key >= ANY_KEY for key in keys):
        raise ProfileError(
            fields.path("keys"), keys, f"there must be one below 2**{KEY_BITS} for each row, and at most {size}"
        )
    if len({len(row) for row in rows}) > 1:
        raise ProfileError(fields.path("rows"), rows, "all rows must be as long")
    return size, keys, rows


def _short(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return cell[:TEXT_CHARACTERS]
    return float(f"{cell:.{DIGITS}g}") if cell is not None and isfinite(cell) else None
