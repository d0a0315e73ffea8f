"""Names of levels and classes, so that one value has one name wherever it comes from."""

from lambdas.monitoring.profile.reading import Cell

POSITIVE = "1"
_NAMES = {"true": "1", "false": "0"}


def level_text(value: Cell | bool) -> str | None:
    """Return a category's text: whole numbers without a point, booleans as ``true`` and ``false``; None is missing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(float(value))


def class_name(value: Cell | bool) -> str | None:
    """Return a class's name: of labels and predictions ``1``, ``1.0``, "1.0", "true" and True are all "1"."""
    text = level_text(value)
    if text is None:
        return None
    text = text.strip()
    whole, _, rest = text.partition(".")
    if whole.lstrip("-").isdigit() and not rest.strip("0"):
        return whole
    return _NAMES.get(text.lower(), text)


def is_positive(value: Cell | bool) -> bool | None:
    """Say whether a binary model's label or prediction is the positive class, "1"; None where there is none."""
    return None if value is None else class_name(value) == POSITIVE
