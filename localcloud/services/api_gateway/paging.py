"""Pages of lists, as API Gateway's Get operations give them."""

from collections.abc import Mapping, Sequence
from typing import Any

_DEFAULT = 25
_MOST = 500


def page(items: Sequence[Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of `items` that `position` and `limit` ask for, and where the next begins."""
    start = int(params.get("position") or 0)
    end = start + min(int(params.get("limit") or _DEFAULT), _MOST)
    answer: dict[str, Any] = {"items": list(items[start:end])}
    return {**answer, "position": str(end)} if end < len(items) else answer
