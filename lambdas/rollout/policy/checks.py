"""What a value of a policy may be, and how a policy is refused."""

from collections.abc import Sequence

MAX_SECONDS = 14 * 24 * 3600


class PolicyError(ValueError):
    """A policy that cannot work.

    Parameters
    ----------
    field
        Path of the value at fault, such as ``steps[1].weight``.
    value
        What it holds.
    allowed
        What it may hold, or why it may not hold that.
    way_out
        What to do about it.
    """

    def __init__(self, field: str, value: object, allowed: str, way_out: str) -> None:
        super().__init__(f"{field}: {value!r} is not allowed; {allowed}. Way out: {way_out}")
        self.field = field
        self.value = value
        self.allowed = allowed
        self.way_out = way_out

    def under(self, path: str) -> "PolicyError":
        """Return the error with its field below `path`."""
        return PolicyError(f"{path}.{self.field}" if path else self.field, self.value, self.allowed, self.way_out)


def whole(name: str, value: object, least: int, most: int) -> None:
    """Refuse what is not a whole number from `least` to `most`."""
    allowed = f"it must be a whole number from {least} to {most}"
    if isinstance(value, bool) or not isinstance(value, int):
        raise PolicyError(name, value, allowed, f"write it in digits, such as {max(least, 1)}")
    _within(name, value, least, most, allowed)


def number(name: str, value: object, least: float, most: float) -> None:
    """Refuse what is not a number from `least` to `most`."""
    allowed = f"it must be a number from {least:g} to {most:g}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PolicyError(name, value, allowed, f"write it in digits, such as {most:g}")
    _within(name, value, least, most, allowed)


def _within(name: str, value: float, least: float, most: float, allowed: str) -> None:
    if not least <= value <= most:
        way_out = f"raise it to {least:g}" if value < least else f"lower it to {most:.15g}"
        raise PolicyError(name, value, allowed, way_out)


def text(name: str, value: object, most: int) -> None:
    """Refuse what is not a text of 1 to `most` characters."""
    allowed = f"it must be a text of 1 to {most} characters"
    if not isinstance(value, str):
        raise PolicyError(name, value, allowed, "write it in quotation marks")
    if not 0 < len(value) <= most:
        way_out = f"shorten it by {len(value) - most} characters" if value else "write what it is"
        raise PolicyError(name, value, allowed, way_out)


def one_of(name: str, value: object, choices: Sequence[str]) -> None:
    """Refuse what is not among the choices."""
    if value not in choices:
        raise PolicyError(name, value, f"it must be one of {', '.join(choices)}", "choose one of them")
