"""The baseline of one column: how its values are counted, and how many of each there were."""

from __future__ import annotations

from dataclasses import dataclass

from lambdas.monitoring.profile.bins import Bins
from lambdas.monitoring.profile.columns import Column, Kind
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.tallies import CategoryTally, NumberTally, tally_of


@dataclass(frozen=True)
class NumberReference:
    """Baseline of a number: its bins, and the counts in them."""

    bins: Bins
    tally: NumberTally

    @property
    def kind(self) -> Kind:
        """What the column holds."""
        return Kind.NUMBER

    def empty(self) -> NumberTally:
        """Return a tally that counts alike, of nothing."""
        return NumberTally(self.bins)

    def merge(self, other: Reference) -> NumberReference:
        """Return the counts of both; raises `ProfileError` if they were counted differently."""
        if not isinstance(other, NumberReference):
            raise ProfileError("kind", other.kind.value, "a number cannot be merged with a category")
        return NumberReference(self.bins, self.empty().merge(self.tally).merge(other.tally))


@dataclass(frozen=True)
class CategoryReference:
    """Baseline of a category: its levels, and the counts of them."""

    levels: tuple[str, ...]
    tally: CategoryTally

    @property
    def kind(self) -> Kind:
        """What the column holds."""
        return Kind.CATEGORY

    def empty(self) -> CategoryTally:
        """Return a tally that counts alike, of nothing."""
        return CategoryTally(self.levels, self.tally.rare, self.tally.open_ended)

    def merge(self, other: Reference) -> CategoryReference:
        """Return the counts of both; raises `ProfileError` if they were counted differently."""
        if not isinstance(other, CategoryReference):
            raise ProfileError("kind", other.kind.value, "a category cannot be merged with a number")
        return CategoryReference(self.levels, self.empty().merge(self.tally).merge(other.tally))


Reference = NumberReference | CategoryReference


def reference_of(value: object, where: str = "reference") -> Reference:
    """Read a column's baseline; raises `ProfileError` where it is malformed."""
    tally = tally_of(value, where)
    return (
        NumberReference(tally.bins, tally) if isinstance(tally, NumberTally) else CategoryReference(tally.known, tally)
    )


def column_of(name: str, reference: Reference) -> Column:
    """Return the column that a baseline describes."""
    return Column(name, reference.kind)
