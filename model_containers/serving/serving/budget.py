"""How many bytes of request bodies are held at a time."""

from collections.abc import Iterator
from contextlib import contextmanager


class Budget:
    """The bytes that all requests in flight may hold together. Touched by the event loop only."""

    def __init__(self, limit: int) -> None:
        self.held = 0
        self._limit = limit

    @contextmanager
    def share(self) -> Iterator["Share"]:
        """Account for one request, and take back what it holds when it is answered."""
        share = Share(self)
        try:
            yield share
        finally:
            share.give_up()

    def reserve(self, count: int) -> bool:
        """Hold `count` bytes more; return whether there were so many left."""
        if self.held + count > self._limit:
            return False
        self.held += count
        return True


class Share:
    """What one request holds of a budget."""

    def __init__(self, budget: Budget) -> None:
        self.refused = False
        self._budget = budget
        self._held = 0

    def take(self, count: int) -> bool:
        """Hold `count` bytes more; after one refusal, never again."""
        self.refused = self.refused or not self._budget.reserve(count)
        if not self.refused:
            self._held += count
        return not self.refused

    def give_up(self) -> None:
        """Hold nothing."""
        self._budget.held -= self._held
        self._held = 0
