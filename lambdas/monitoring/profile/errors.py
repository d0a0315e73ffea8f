"""What can be wrong with a profile: one error, which says where, what, and what to do."""

SHOWN = 80
"""Characters of a wrong value that a message shows."""


class ProfileError(ValueError):
    """A baseline or a window's counts cannot be read, or cannot be merged.

    Parameters
    ----------
    field
        Where, as a path: ``baseline.columns[2].edges``.
    value
        What stands there.
    way_out
        What was expected, and what to do about it.
    """

    def __init__(self, field: str, value: object, way_out: str) -> None:
        super().__init__(f"{field} is {shown(value)}: {way_out}")
        self.field = field
        self.value = value
        self.way_out = way_out


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, and cut where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer beyond sys.get_int_max_str_digits, or too deep a nesting
        text = f"a {type(value).__name__} too large to show"
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
