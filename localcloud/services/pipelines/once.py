"""Requests that come again under their token, and what they were answered."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.errors import AwsError


class Once:
    """Remembers answers by operation and ClientRequestToken."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._answered: dict[tuple[str, str], tuple[Mapping[str, Any], dict[str, Any]]] = {}

    def answer(self, operation: str, request: Mapping[str, Any], act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Return what `act` does, or the first answer again; another request under a used token is a conflict."""
        token = request.get("ClientRequestToken")
        with self._lock:
            known = self._answered.get((operation, token)) if token else None
            if known is None:
                answer = act()
                if token:
                    self._answered[operation, token] = (dict(request), answer)
                return answer
            if known[0] != dict(request):
                message = f"ClientRequestToken {token} has been used for another {operation} request; use a new one"
                raise AwsError("ConflictException", message)
            return known[1]
