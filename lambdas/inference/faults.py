"""What is wrong with the rows of a request, cell by cell."""

from math import isfinite
from typing import Any

from lambdas.inference.problems import SHOWN_ERRORS, Problem

_LONGEST = 40
_LARGEST = 10**_LONGEST
_UNSHOWN = object()


class Faults:
    """Collects what is wrong; the first faults are kept, the others counted."""

    def __init__(self) -> None:
        self._first: list[dict[str, Any]] = []
        self._total = 0

    def add(self, row: int, detail: str, column: str | None = None, value: Any = _UNSHOWN) -> None:
        """Take note of a fault in a row (from 1)."""
        self._total += 1
        if self._total > SHOWN_ERRORS:
            return
        place: dict[str, Any] = {"row": row} if column is None else {"row": row, "column": column}
        self._first.append(place | _given(value) | {"detail": detail})

    def settle(self) -> None:
        """Raise the problem of all that was found, if anything was."""
        if not self._total:
            return
        first = self._first[0]
        where = f"row {first['row']}" + (f", column {first['column']!r}" if "column" in first else "")
        more = f" (and {self._total - 1} more)" if self._total > 1 else ""
        raise Problem("invalid-input", f"{where}: {first['detail']}{more}", errors=self._first)


def _given(value: Any) -> dict[str, Any]:
    """Return the value for the document, unless it is long or no JSON."""
    if isinstance(value, str):
        return {"value": value[:_LONGEST]}
    if value is None or isinstance(value, bool):
        return {"value": value}
    is_shown = abs(value) < _LARGEST if isinstance(value, int) else isinstance(value, float) and isfinite(value)
    return {"value": value} if is_shown else {}
