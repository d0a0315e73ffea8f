"""Counts of a column of categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.reading import Fields
from lambdas.monitoring.profile.text_counts import TextCounts

RARE = "(rare)"
"""The level under which rare levels are counted together."""


class CategoryTally:
    """Mutable: how often each level came, how many values are missing, and which were never seen in training.

    Parameters
    ----------
    known
        Levels that are counted each by itself, in the order in which they are compared; with ``(rare)`` among
        them where there are rare ones.
    rare
        Levels that count as ``(rare)``.
    open_ended
        Whether every level that is not known counts as ``(rare)``: a column with so many that new ones are
        normal, such as an identifier. Nothing is unseen then.
    """

    __slots__ = ("_levels", "counts", "missing", "open_ended", "rare", "unseen")

    def __init__(self, known: Iterable[str], rare: Iterable[str] = (), open_ended: bool = False) -> None:
        self.rare = tuple(rare)
        self.open_ended = open_ended
        self.counts = dict.fromkeys(known, 0)
        if (self.rare or open_ended) and RARE not in self.counts:
            self.counts[RARE] = 0
        self._levels = dict.fromkeys(self.rare, RARE) | {level: level for level in self.counts}
        self.missing = 0
        self.unseen = TextCounts()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CategoryTally) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"CategoryTally(rows={self.rows}, missing={self.missing}, unseen={self.unseen_rows})"

    @property
    def known(self) -> tuple[str, ...]:
        """Levels that are counted each by itself."""
        return tuple(self.counts)

    @property
    def unseen_rows(self) -> int:
        """Rows whose level was never seen in training."""
        return self.unseen.total

    @property
    def rows(self) -> int:
        """All rows, whatever stood there."""
        return sum(self.counts.values()) + self.unseen_rows + self.missing

    def level(self, value: str) -> str | None:
        """Return the level as which a value is counted; None for one never seen in training."""
        return self._levels.get(value, RARE if self.open_ended else None)

    def add(self, value: str | None) -> None:
        """Count a value; None is missing."""
        level = self._levels.get(value) if value is not None else None
        if level is not None:
            self.counts[level] += 1
        else:
            self._add_other(value, 1)

    def add_many(self, values: Iterable[str | None]) -> None:
        """Count values: three times as quick as one at a time."""
        self.add_counts(Counter(values))

    def add_counts(self, counts: Mapping[str, int] | Mapping[str | None, int], *, missing: int = 0) -> None:
        """Add what another engine counted: how often each value came; None is missing too."""
        self.missing += missing
        for value, times in counts.items():
            level = self._levels.get(value) if value is not None else None
            if level is not None:
                self.counts[level] += times
            else:
                self._add_other(value, times)

    def merge(self, other: CategoryTally) -> CategoryTally:
        """Add another's counts to these, and return these.

        Raises
        ------
        ProfileError
            If the levels differ: such counts cannot be added.
        """
        if (self.known, self.rare, self.open_ended) != (other.known, other.rare, other.open_ended):
            raise ProfileError(
                "levels", other.known, "counts of different levels cannot be merged; count with one baseline"
            )
        for level, times in other.counts.items():
            self.counts[level] += times
        self.missing += other.missing
        self.unseen.merge(other.unseen)
        return self

    def to_json(self) -> dict[str, object]:
        """Return the counts for JSON; levels are a list, for their order counts."""
        return {
            "kind": "category",
            "levels": list(self.counts),
            "counts": list(self.counts.values()),
            "rare": list(self.rare),
            "open_ended": self.open_ended,
            "missing": self.missing,
            "unseen": self.unseen.to_json(),
        }

    @classmethod
    def from_json(cls, value: object, where: str = "tally") -> CategoryTally:
        """Read counts; raises `ProfileError` where they are malformed."""
        fields = Fields(value, where)
        levels, counts = fields.texts("levels"), fields.integers("counts")
        tally = cls(levels, fields.texts("rare"), fields.truth("open_ended"))
        if tally.known != levels:
            raise ProfileError(
                fields.path("levels"), levels, f"each level stands once, with {RARE} where there are rare ones"
            )
        if len(counts) != len(levels):
            raise ProfileError(fields.path("counts"), counts, f"there must be {len(levels)}, one for each level")
        tally.counts = dict(zip(levels, counts, strict=True))
        tally.missing = fields.integer("missing")
        tally.unseen = TextCounts.from_json(fields.any("unseen"), fields.path("unseen"))
        return tally

    def _add_other(self, value: str | None, times: int) -> None:
        if value is None:
            self.missing += times
        elif self.open_ended:
            self.counts[RARE] += times
        else:
            self.unseen.add(value, times)
