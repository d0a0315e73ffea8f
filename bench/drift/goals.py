"""What was wanted, and what came of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """A goal beside its result.

    Parameters
    ----------
    name
        What is wanted.
    wanted, got
        The bound and the result, in words.
    met
        Whether it was reached.
    why
        The reason where it was missed, or what to know about the number.
    """

    name: str
    wanted: str
    got: str
    met: bool
    why: str = ""

    @property
    def verdict(self) -> str:
        """Return ``met`` or ``missed``."""
        return "met" if self.met else "missed"


def at_least(name: str, bound: float, ratios: list[float], why: str = "") -> Goal:
    """Return whether the median of ratios is at least a bound."""
    middle = sorted(ratios)[len(ratios) // 2]
    return Goal(name, f"at least {bound:g} times", _range(middle, ratios), middle >= bound, why)


def at_most(name: str, bound: float, ratios: list[float], why: str = "") -> Goal:
    """Return whether the median of ratios is at most a bound."""
    middle = sorted(ratios)[len(ratios) // 2]
    return Goal(name, f"at most {bound:g} times", _range(middle, ratios), middle <= bound, why)


def _range(middle: float, ratios: list[float]) -> str:
    if len(ratios) == 1:
        return f"{middle:.2f} times"
    return f"{middle:.2f} times ({min(ratios):.2f} to {max(ratios):.2f})"
