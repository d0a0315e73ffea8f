"""Captured answers in which there is nothing of what is to be compared, and what that means in words. Pure.

Nobody but the operator can put it right that the wrong field has been asked for: evidence never comes. So what such
answers do have is kept with their number. Only names that all of them have are: what differs from answer to answer
is data rather than form, and may be the name of a customer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_NAMES = 8
LONGEST_NAME = 40
"""Characters of a name that are kept: the judgement is part of the endpoint's state, and people read it."""

_ANEW = "deploy, abort this rollout and retry it"
"""A rollout keeps the policy that it started with."""


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
        Fields that all of the latter have, in order.
    """

    unread: int = 0
    fieldless: int = 0
    names: tuple[str, ...] = ()

    def __add__(self, other: "Incomparable") -> "Incomparable":
        """Return both together."""
        names = _common(self, other)
        return Incomparable(self.unread + other.unread, self.fieldless + other.fieldless, names)

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self.unread or self.fieldless)

    @property
    def bounded(self) -> "Incomparable":
        """The same with so few and so short names that they can be stored and shown."""
        names = sorted({_short(name) for name in self.names[:MOST_NAMES]})
        return Incomparable(self.unread, self.fieldless, tuple(names))


NONE = Incomparable()

UNREAD = Incomparable(unread=1)
"""An answer that is not what its content type says."""


def fieldless(names: Iterable[str]) -> Incomparable:
    """Return an answer that has fields of other names than the one that is to be compared."""
    return Incomparable(fieldless=1, names=tuple(sorted(names)))


@dataclass(frozen=True)
class Obstacle:
    """Why nothing is counted, which waiting does not change, and what does."""

    cause: str
    way_out: str

    def __str__(self) -> str:
        """Say both."""
        return f"{self.cause}; {self.way_out}"


def obstacle(found: Incomparable, field: str) -> Obstacle | None:
    """Return what keeps answers from being compared, given that none could be; None when that is not known.

    How many there are is left out: what is said must stay the same for as long as it lasts.
    """
    if not found:
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
    return Obstacle(cause, _way_out(which, found.names))


def _way_out(which: str, names: Sequence[str]) -> str:
    if names:
        listed = ", ".join(f"`{name}`" for name in names)
        return f"{which} all have {listed}: correct the field in environments/, {_ANEW}"
    return (
        f"{which} have no field in common (numbers and lists have none, nor has CSV without a header): correct the "
        f"field, or leave it out to compare all of an answer, in environments/, {_ANEW}"
    )


def _common(one: Incomparable, other: Incomparable) -> tuple[str, ...]:
    if not one.fieldless or not other.fieldless:
        return one.names or other.names
    return one.names if one.names == other.names else tuple(sorted({*one.names} & {*other.names}))


def _short(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:LONGEST_NAME])
    return shown if len(name) <= LONGEST_NAME else f"{shown[:-1]}…"
