"""Fields of the environments' files as a table of a page must tell them."""

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from stacks.config.constraints import Between

NONE = "none"


def told(kind: Any, prefix: str = "") -> dict[str, list[str]]:
    """Return default and bounds of each field by its path, as text; those of inner objects by theirs."""
    hints = get_type_hints(kind, include_extras=True)
    found: dict[str, list[str]] = {}
    for field in fields(kind):
        inner = next(
            (each for each in _parts(hints[field.name]) if isinstance(each, type) and is_dataclass(each)), None
        )
        if inner is not None:
            found |= told(inner, f"{prefix}{field.name}.")
        else:
            found[f"{prefix}{field.name}"] = [_default(field.default), *_bounds(hints[field.name])]
    return found


def _parts(hint: Any) -> list[Any]:
    """Return a type, and those that it is a union of or is annotated with."""
    inner = get_args(hint) if get_origin(hint) is not tuple else ()
    return [hint, *(part for each in inner for part in _parts(each))]


def _bounds(hint: Any) -> list[str]:
    limits = next((part for part in _parts(hint) if isinstance(part, Between)), None)
    return ["", ""] if limits is None else [f"{limits.least:.15g}", f"{limits.most:.15g}"]


def _default(value: Any) -> str:
    if value is None or value == ():
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value)
