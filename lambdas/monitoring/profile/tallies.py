"""The counts of one column: what it takes to compare two sets of rows without keeping a row."""

from lambdas.monitoring.profile.category_tally import RARE, CategoryTally
from lambdas.monitoring.profile.errors import ProfileError
from lambdas.monitoring.profile.number_tally import NumberTally
from lambdas.monitoring.profile.reading import Fields

Tally = NumberTally | CategoryTally

__all__ = ["RARE", "CategoryTally", "NumberTally", "Tally", "add_tally", "tally_of"]


def tally_of(value: object, where: str = "tally") -> Tally:
    """Read the counts of a column of either kind; raises `ProfileError` where they are malformed."""
    kind = Fields(value, where).text("kind")
    if kind == "number":
        return NumberTally.from_json(value, where)
    if kind == "category":
        return CategoryTally.from_json(value, where)
    raise ProfileError(f"{where}.kind", kind, "a column is a number or a category")


def add_tally(tally: Tally, other: Tally, where: str) -> None:
    """Add another's counts to a tally; raises `ProfileError` if the two were not counted alike."""
    if isinstance(tally, NumberTally):
        if isinstance(other, NumberTally):
            tally.merge(other)
            return
    elif isinstance(other, CategoryTally):
        tally.merge(other)
        return
    raise ProfileError(where, other, "a number cannot be merged with a category; count the window anew")
