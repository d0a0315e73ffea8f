"""Captured answers in which there is nothing of what is to be compared, and what that means in words. Pure.

Nobody but the operator can put it right that the wrong field has been asked for: evidence never comes. So what such
answers do have is kept with their number. Only names that enough of them share are: what differs from answer to answer
is data rather than form, and may be the name of a customer.
"""

from collections.abc import Collection
from dataclasses import dataclass

ENOUGH = 5
"""Answers from which on it is told that nothing can be compared, and, of one file, what they have in common."""

MOST_KEPT, MOST_SHOWN = 32, 8
LONGEST_NAME = 40
"""Characters of a name that are kept: the judgement is part of the endpoint's state, and people read it."""

Name = tuple[str, ...]
"""A key, or all columns of a table, which are shared together or not at all: its first row may be none of names."""

_ANEW = "deploy, abort this rollout and retry it"
"""A rollout keeps the policy that it started with."""

_CORRECT = f"correct the field, or leave it out to compare all of an answer, in environments/, {_ANEW}"


@dataclass(frozen=True)
class Incomparable:
    """Answers of the live version's with nothing in them to compare.

    Parameters
    ----------
    unread
        How many are not what their content type says.
    fieldless
        How many have not got the field.
    names
        Fields that the latter share, in order; None where no file had enough of them to know.
    many
        Whether a file had more than are kept.
    """

    unread: int = 0
    fieldless: int = 0
    names: tuple[str, ...] | None = None
    many: bool = False

    def __add__(self, other: "Incomparable") -> "Incomparable":
        """Return those of several files."""
        names, many = _common(self.names, other.names), self.many or other.many
        return Incomparable(self.unread + other.unread, self.fieldless + other.fieldless, names, many)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self.unread or self.fieldless)


NONE = Incomparable()


def in_file(unread: int, without: int, shared: Collection[Name]) -> Incomparable:
    """Return what is kept of a file's answers: `shared` is what those have that are `without` the field."""
    if without < ENOUGH:
        return Incomparable(unread, without)
    names = sorted({_short(name) for together in shared for name in together})
    return Incomparable(unread, without, tuple(names[:MOST_KEPT]), len(names) > MOST_KEPT)


@dataclass(frozen=True)
class Obstacle:
    """Why nothing is counted, which waiting does not change, and what does."""

    cause: str
    way_out: str

    def __str__(self) -> str:
        """Say both."""
        return f"{self.cause}; {self.way_out}"


def obstacle(found: Incomparable, field: str) -> Obstacle | None:
    """Return what keeps answers from being compared, given that none could be; None when too few say so.

    How many there are is left out: what is said must stay the same for as long as it lasts.
    """
    if found.unread + found.fieldless < ENOUGH:
        return None
    if not found.fieldless:
        cause = "no answer that was captured can be read as what its content type says, so nothing can be compared"
        return Obstacle(cause, f"have the model answer what it says, or remove judge.answers in environments/, {_ANEW}")
    named = f"the field `{field}` (judge.answers.field)"
    which, cause = "they", f"no answer that was captured has {named}, so nothing can be compared"
    if found.unread:
        which = "the others"
        cause = (
            "no answer that was captured can be compared: some cannot be read as what their content type says, "
            f"and none of the others has {named}"
        )
    return Obstacle(cause, _way_out(which, found))


def _way_out(which: str, found: Incomparable) -> str:
    if found.names:
        listed = ", ".join(f"`{name}`" for name in found.names[:MOST_SHOWN])
        more = " and more" if found.many or len(found.names) > MOST_SHOWN else ""
        return f"{which} have {listed}{more}: correct the field in environments/, {_ANEW}"
    if found.names is None:
        return f"what {which} have is told once a file has {ENOUGH} of them: {_CORRECT}"
    if found.many:
        return f"{which} have more fields than are kept, see the log of `compare` for some of each file's: {_CORRECT}"
    return f"{which} have no field in common (numbers and lists have none, nor has CSV without a header): {_CORRECT}"


def _common(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if one is None or other is None:
        return other if one is None else one
    return one if one == other else tuple(sorted({*one} & {*other}))


def _short(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST_NAME])
    return shown if len(name) <= LONGEST_NAME else f"{shown[:-1]}…"
